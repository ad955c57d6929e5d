//! Keys that are made, lost with the disk, copied and destroyed.
//!
//! Room: store, tests only.

use std::collections::BTreeMap;

use super::*;
use crate::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};
use crate::store::files::read_whole;

/// Chance that is none: the same calls give the same bytes, no two calls the same ones.
pub fn counting_chance() -> Chance {
    let count = AtomicU64::new(1);
    Arc::new(move |bytes: &mut [u8]| {
        let seed = count.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = (seed >> (place % 8 * 8)) as u8 ^ place as u8;
        }
    })
}

pub fn keys_on(files: &FaultyFiles) -> Keys {
    Keys::open(Arc::new(files.clone()), Path::new("/keys.redb"), counting_chance()).unwrap()
}

fn someone() -> Personal {
    Personal {
        name: "山田花子".to_owned(), phone: "09012345678".to_owned(), ..Personal::default()
    }
}

#[test]
fn sealed_data_opens_only_for_its_member_and_only_as_it_was() {
    let keys = keys_on(&FaultyFiles::new());
    keys.create_members(["a", "b"]).unwrap();
    let sealed = keys.seal("a", &someone()).unwrap();
    assert_eq!(keys.unseal("a", &sealed).unwrap(), Some(someone()));
    assert!(keys.unseal("b", &sealed).is_err(), "another key");
    let Sealed::Closed { nonce, mut bytes } = sealed else { panic!("sealed") };
    assert!(!bytes.windows(3).any(|part| part == "山".as_bytes()));
    bytes[4] ^= 1;
    assert!(keys.unseal("a", &Sealed::Closed { nonce, bytes }).is_err());
    assert!(matches!(keys.seal("c", &someone()), Err(StoreError::Erased { .. })));
}

#[test]
fn an_erased_key_is_in_no_byte_of_the_file() {
    let files = FaultyFiles::new();
    let keys = keys_on(&files);
    keys.create_members(["a", "b"]).unwrap();
    let key = keys.member_key("a").unwrap().unwrap();
    let (sealed, other) =
        (keys.seal("a", &someone()).unwrap(), keys.seal("b", &someone()).unwrap());
    let holds = || {
        let bytes = read_whole(&files, Path::new("/keys.redb")).unwrap();
        memchr::memmem::find(&bytes, &*key).is_some()
    };
    assert!(holds());
    keys.erase_member("a").unwrap();
    assert!(!holds());
    assert_eq!(keys.unseal("a", &sealed).unwrap(), None);
    assert_eq!(keys.unseal("b", &other).unwrap(), Some(someone()));
    drop(keys);
    assert_eq!(keys_on(&files).unseal("b", &other).unwrap(), Some(someone()));
}

#[test]
fn a_ring_gives_the_same_keys_whether_few_are_wanted_or_all() {
    let keys = keys_on(&FaultyFiles::new());
    keys.create_members(["c", "a", "bb", "a"]).unwrap();
    keys.create_members(["b", "z", "0", "c"]).unwrap();
    let (few, all) = (keys.ring(0).unwrap(), keys.ring(100).unwrap());
    assert!(matches!(few, KeyRing::Few(_)) && matches!(all, KeyRing::All(_)));
    for code in ["", "0", "a", "b", "bb", "bc", "c", "z", "zz"] {
        let want = keys.member_key(code).unwrap();
        assert_eq!(want.is_some(), ["0", "a", "b", "bb", "c", "z"].contains(&code), "{code}");
        assert_eq!(few.key(code).unwrap(), want, "{code}");
        assert_eq!(all.key(code).unwrap(), want, "{code}");
    }
}

#[test]
fn a_pin_is_compared_or_not_set() {
    let keys = keys_on(&FaultyFiles::new());
    let pin = Pin::new("840217");
    assert_eq!(keys.check_pin(3, Some(&pin)).unwrap(), PinVerdict::NotSet);
    keys.set_pin(3, Some(&pin), PinPolicy::Guarded).unwrap();
    assert_eq!(keys.check_pin(3, Some(&pin)).unwrap(), PinVerdict::Right);
    assert_eq!(keys.check_pin(3, None).unwrap(), PinVerdict::Wrong);
    keys.set_pin(3, None, PinPolicy::Guarded).unwrap();
    assert_eq!(keys.check_pin(3, Some(&pin)).unwrap(), PinVerdict::NotSet);
    let refused = keys.set_pin(3, Some(&Pin::new("1234")), PinPolicy::Guarded);
    assert!(matches!(refused, Err(StoreError::Refused(_))));
}

#[test]
fn one_key_signs_for_ever_and_rows_carry_everything() {
    let keys = keys_on(&FaultyFiles::new());
    assert_eq!(keys.public_key().unwrap(), None);
    let public = keys.signing_key().unwrap().verifying_key();
    assert_eq!(keys.signing_key().unwrap().verifying_key(), public);
    assert_eq!(keys.public_key().unwrap(), Some(public.to_bytes()));
    keys.create_members(["a"]).unwrap();
    keys.set_pin(1, Some(&Pin::new("111111")), PinPolicy::Sample).unwrap();
    let mut rows = Vec::new();
    keys.rows(|row| {
        rows.push(row);
        Ok(())
    })
    .unwrap();
    assert_eq!(rows.len(), 3);
    let other = keys_on(&FaultyFiles::new());
    other.restore_rows(|put| rows.into_iter().try_for_each(put)).unwrap();
    assert_eq!(other.signing_key().unwrap().verifying_key(), public);
    assert_eq!(other.check_pin(1, Some(&Pin::new("111111"))).unwrap(), PinVerdict::Right);
    let sealed = keys.seal("a", &someone()).unwrap();
    assert_eq!(other.unseal("a", &sealed).unwrap(), Some(someone()));
}

#[test]
fn a_file_opened_anew_while_all_is_well_keeps_every_key() {
    let files = FaultyFiles::new();
    let keys = keys_on(&files);
    for round in ["a", "b", "c", "d", "e"] {
        keys.create_members([round]).unwrap();
        keys.file.handle_mut().give_up();
    }
    assert!(keys.without_key(["a", "b", "c", "d", "e"]).unwrap().is_empty());
    drop(keys);
    let again = keys_on(&files);
    assert!(again.without_key(["a", "b", "c", "d", "e"]).unwrap().is_empty());
}

const CODES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A day of the file: a step that fails is tried again, as the register does.
fn day_of_keys(keys: &Keys) {
    fn twice(mut step: impl FnMut() -> Result<(), StoreError>) {
        step().or_else(|_| step()).or_else(|_| step()).unwrap();
    }
    for code in CODES {
        twice(|| keys.create_members([code]));
    }
    twice(|| keys.erase_member("b"));
    twice(|| keys.create_members(["f"]));
    twice(|| keys.signing_key().map(|_| ()));
}

fn has_all_of_the_day(keys: &Keys) -> bool {
    let missing = keys.without_key(["a", "b", "c", "d", "e", "f"]).unwrap();
    missing == ["b"] && keys.public_key().unwrap().is_some()
}

#[test]
fn whichever_call_fails_every_key_that_was_answered_outlives_a_cut() {
    let honest = FaultyFiles::new();
    let keys = keys_on(&honest);
    honest.reset_counts();
    day_of_keys(&keys);
    drop(keys);
    for n in 1..=honest.counts().calls {
        let files = FaultyFiles::new();
        let keys = keys_on(&files);
        files.sync_dir(Path::new("/")).unwrap();
        files.fail_at(n, FaultKind::Eio, Lasting::Once);
        day_of_keys(&keys);
        let at_work = files.fork();
        drop(keys);
        for (files, keep) in
            [&at_work, &files].into_iter().flat_map(|files| Keep::ALL.map(|keep| (files, keep)))
        {
            let files = files.fork();
            files.heal();
            files.power_cut(keep, n);
            assert!(has_all_of_the_day(&keys_on(&files)), "at call {n}, {keep:?}");
        }
        files.heal();
        assert!(has_all_of_the_day(&keys_on(&files)), "at call {n}, closed");
    }
}

/// How the register comes through a failing disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    /// It stays open, and is asked again.
    Open,
    /// It is closed while the disk still fails, and opened once it is mended.
    Closed,
    /// It is killed.
    Killed,
}

/// What a register was answered.
#[derive(Default)]
struct Answered {
    keys: BTreeMap<&'static str, Secret>,
    erased: Vec<&'static str>,
    public: Option<[u8; 32]>,
}

impl Answered {
    fn note(&mut self, keys: &Keys, step: &str) {
        match step {
            "Z" => self.public = keys.public_key().unwrap(),
            "erase b" => {
                self.keys.remove("b");
                self.erased.push("b");
            }
            step => {
                let code = CODES.into_iter().find(|code| *code == step).expect("a member's code");
                self.keys.insert(code, keys.member_key(code).unwrap().expect("it was answered"));
            }
        }
    }

    /// Holds a disk that lost its power against what was answered.
    fn assert_on(&self, files: &FaultyFiles, what: &str) {
        let keys = Arc::new(files.clone()) as Arc<dyn Files>;
        let keys = Keys::open_existing(keys, Path::new("/keys.redb"), counting_chance());
        let keys = keys.unwrap_or_else(|error| panic!("{what}: {error}"));
        for (code, key) in &self.keys {
            assert_eq!(keys.member_key(code).unwrap().as_ref(), Some(key), "{what}: {code}");
        }
        for code in &self.erased {
            assert_eq!(keys.member_key(code).unwrap(), None, "{what}: {code}");
        }
        if self.public.is_some() {
            assert_eq!(keys.public_key().unwrap(), self.public, "{what}");
        }
    }
}

fn take(keys: &Keys, step: &str) -> Result<(), StoreError> {
    match step {
        "Z" => keys.signing_key().map(drop),
        "erase b" => keys.erase_member("b"),
        code => keys.create_members([code]),
    }
}

/// Lives through a day of which a call fails, and looks at the disk right behind the first answer after a
/// refusal, and at the end.
fn live_through(n: u64, kind: FaultKind, lasting: Lasting, through: Through) {
    let what = format!("{kind:?} {lasting:?} at call {n}, {through:?}");
    let files = FaultyFiles::new();
    let mut keys = Some(keys_on(&files));
    files.sync_dir(Path::new("/")).unwrap();
    files.fail_at(n, kind, lasting);
    let (mut answered, mut was_refused) = (Answered::default(), false);
    let look = |answered: &Answered, at: &str| {
        for keep in [Keep::Nothing, Keep::Random] {
            let cut = files.fork();
            cut.power_cut(keep, n);
            answered.assert_on(&cut, &format!("{what}, {at}, {keep:?}"));
        }
    };
    for step in ["a", "b", "erase b", "c", "a", "Z", "d", "e", "Z"] {
        let mut refused = 0;
        while let Err(error) = take(keys.as_ref().unwrap(), step) {
            assert!(!error.to_string().is_empty() && refused < 4, "{what}: {step}: {error}");
            refused += 1;
            if refused < 3 {
                continue; // A disk that fails for good is asked in vain.
            }
            match (through, keys.take().unwrap()) {
                (Through::Open, open) => keys = Some(open),
                (Through::Closed, open) => drop(open.close()),
                (Through::Killed, open) => std::mem::forget(open),
            }
            files.heal();
            keys.get_or_insert_with(|| keys_on(&files));
        }
        let keys = keys.as_ref().unwrap();
        answered.note(keys, step);
        if refused > 0 && !was_refused {
            was_refused = true;
            look(&answered, step);
        }
    }
    // Where nothing was refused it was the end that failed.
    drop(keys.take().unwrap().close());
    look(&answered, "at the end");
    files.heal();
    let again = keys_on(&files);
    take(&again, "e").unwrap();
    take(&again, "a").unwrap();
    look(&answered, "opened again");
}

#[test]
fn a_disk_that_fails_takes_no_key_that_was_answered_however_the_register_comes_through_it() {
    let honest = FaultyFiles::new();
    let keys = keys_on(&honest);
    honest.reset_counts();
    for step in ["a", "b", "erase b", "c", "a", "Z", "d", "e", "Z"] {
        take(&keys, step).unwrap();
    }
    keys.close().unwrap();
    let calls = honest.counts().calls;
    for n in 1..=calls {
        for through in [Through::Open, Through::Closed, Through::Killed] {
            live_through(n, FaultKind::Eio, Lasting::Sticky, through);
            live_through(n, FaultKind::Eio, Lasting::Once, through);
            // The others lose nothing that was written: fewer of them will do.
            let kind = FaultKind::ALL[1 + (n % 4) as usize];
            live_through(n, kind, Lasting::Sticky, through);
        }
    }
}

#[test]
fn a_file_of_which_a_sync_failed_is_written_anew_and_no_byte_of_it_is_changed_before() {
    let files = FaultyFiles::new();
    let keys = keys_on(&files);
    keys.create_members(["a"]).unwrap();
    let sealed = keys.seal("a", &someone()).unwrap();
    let is_sync = |n: u64| {
        let files = files.fork();
        let keys = keys_on(&files);
        keys.create_members(["a"]).unwrap();
        let syncs = files.counts().syncs;
        files.fail_at(n, FaultKind::Eio, Lasting::Once);
        keys.create_members(["b"]).is_err() && files.counts().syncs > syncs
    };
    let n = (1..).find(|n| is_sync(*n)).unwrap();
    files.fail_at(n, FaultKind::Eio, Lasting::Sticky);
    assert!(keys.create_members(["b"]).is_err());
    let old = read_whole(&files.fork(), Path::new("/keys.redb")).unwrap();
    // Only writes fail: who reads is answered, who needs another key is told.
    files.heal();
    for _ in 0..3 {
        files.fail_at(1, FaultKind::Erofs, Lasting::Sticky);
        assert_eq!(keys.unseal("a", &sealed).unwrap(), Some(someone()));
        assert!(keys.create_members(["b"]).is_err());
        assert!(keys.create_members(["a"]).is_err(), "perhaps it is nowhere but in the cache");
        files.heal();
        assert!(read_whole(&files, Path::new("/keys.redb")).unwrap() == old);
    }
    keys.create_members(["b"]).unwrap();
    let names = files.list(Path::new("/")).unwrap();
    assert!(names.contains(&"keys-2.sums".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.ends_with(".new")), "{names:?}");
    files.power_cut(Keep::Nothing, 1);
    assert_eq!(keys_on(&files).unseal("a", &sealed).unwrap(), Some(someone()));
    assert!(keys_on(&files).without_key(["a", "b"]).unwrap().is_empty());
}

#[test]
fn a_cut_while_the_file_is_written_anew_leaves_the_old_one_or_the_new_one() {
    let mut finished = 0;
    for (cut, keep) in (1..120).flat_map(|cut| Keep::ALL.map(|keep| (cut, keep))) {
        let files = FaultyFiles::new();
        let keys = keys_on(&files);
        files.sync_dir(Path::new("/")).unwrap();
        keys.create_members(["a"]).unwrap();
        let key = keys.member_key("a").unwrap();
        files.fail_at(1 + cut % 5, FaultKind::Eio, Lasting::Once);
        assert!(keys.create_members(["b"]).is_err());
        files.cut_at(cut);
        let done = keys.create_members(["c"]).is_ok();
        finished += u32::from(done);
        files.power_cut(keep, cut);
        drop(keys);
        let again = keys_on(&files);
        assert_eq!(again.member_key("a").unwrap(), key, "cut {cut} {keep:?}");
        assert!(!done || again.without_key(["c"]).unwrap().is_empty(), "cut {cut} {keep:?}");
        again.create_members(["d"]).unwrap();
    }
    assert!(finished > 0, "the last cuts come behind it");
}

#[test]
fn two_who_see_one_handle_fail_give_up_no_later_one() {
    let files = FaultyFiles::new();
    let keys = keys_on(&files);
    let both = std::sync::Barrier::new(2);
    let fails = || {
        let failed: Result<(), StoreError> = keys.file.read(|_| {
            both.wait();
            Err(std::io::Error::from(std::io::ErrorKind::Other).into())
        });
        assert!(failed.is_err());
        keys.create_members(CODES).unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(fails);
        scope.spawn(fails);
    });
    assert_eq!(keys.file.handle_mut().given_up, 1);
    drop(keys);
    assert!(keys_on(&files).without_key(CODES).unwrap().is_empty());
}
