//! Keys that are made, lost with the disk, copied and destroyed.
//!
//! Room: store, tests only.

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
    other.restore_rows(rows).unwrap();
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
        keys.handle_mut().give_up();
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

#[test]
fn two_who_see_one_handle_fail_give_up_no_later_one() {
    let files = FaultyFiles::new();
    let keys = keys_on(&files);
    let both = std::sync::Barrier::new(2);
    let fails = || {
        let failed: Result<(), StoreError> = keys.with(|_| {
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
    assert_eq!(keys.opened().unwrap().given_up, 1);
    drop(keys);
    assert!(keys_on(&files).without_key(CODES).unwrap().is_empty());
}
