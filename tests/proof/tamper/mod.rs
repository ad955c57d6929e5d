//! A journal that was edited, shortened or put back is found, given anyone who knows better.
//!
//! Room: tests. May touch: the library over files in memory; the binary for the first cases.
//! Invariant: every witness alone must convict whatever it can know of, and name the first entry that
//! it knows to be another. A case is one deed, clumsy or with every hash recomputed.

mod forger;

use std::path::Path;
use std::sync::Arc;

use regi::domain::entry::Kind;
use regi::domain::number::DocNo;
use regi::store::audit::{
    Audit, Disagreement, PaperVerdict, Witnesses, hear_journal, paper_head, paper_in_journal,
};
use regi::store::chain::{Epoch, Hash, Head, JournalId};
use regi::store::files::faulty::FaultyFiles;
use regi::store::files::plain::PlainFiles;
use regi::store::files::{Files, write_fresh};
use regi::store::history::History;
use regi::store::keys::Keys;
use regi::store::opening::Known;
use regi::store::reader::Reader;
use regi::store::second_copy::CopyPlace;
use regi::store::testimony::CopySays;

use crate::run::{Chance, Figures, Run};
use crate::support::{Shop, copy_folder};
use forger::{DEEDS, Deed, Lying, Signatures, forge, splice, tamper, true_journal};

const FOLDER: &str = "/shop";

/// Three days over the end of a month, the last one open.
const DAYS: [(&str, &str); 3] = [
    ("2026-11-29T10:00:00+09:00", "z_report"),
    ("2026-11-30T10:00:00+09:00", "z_report"),
    ("2026-12-01T10:00:00+09:00", "x_report"),
];

const DAY: &str = "\
department 1 498
tender_cash 1000
department 2 1200
department 1 300
tender_credit
paid_in 5000 両替
department 2 80
void_sale
department 1 777
tender_cash
paid_out 1500 切手
no_sale 両替
department 2 2400
tender_code
";

/// A shop's true past and everyone who knows of it.
struct Past {
    shop: Shop,
    id: JournalId,
    journal: Vec<Lying>,
    truth: Vec<(Vec<u8>, Hash)>,
    /// Entries up to yesterday's Z.
    yesterday: usize,
    /// Receipts in customers' hands: number, entry, 16 characters.
    receipts: Vec<(DocNo, u64, String)>,
    keys: Arc<Keys>,
    /// A key file that has signed nothing.
    no_keys: Arc<Keys>,
    copy: CopyPlace,
}

impl Past {
    fn new() -> Self {
        let shop = Shop::new("");
        for (at, end) in DAYS {
            let played = shop.play_at(at, &format!("{DAY}{end}\n"));
            assert_eq!(played.exit, 0, "{}", played.stderr);
        }
        let files: Arc<dyn Files> = Arc::new(PlainFiles);
        let history = History::new(files, &shop.dir());
        let reader = history.reader(1, Epoch::FIRST).expect("a journal");
        let records: Vec<_> = reader.iter_from(1).map(|record| record.expect("sound")).collect();
        let journal = true_journal(&reader);
        let zs = journal.iter().zip(1..).filter(|(l, _)| matches!(l.entry.kind, Kind::ZClosed(_)));
        let yesterday = zs.last().map(|(_, seq)| seq).expect("two Zs");
        let receipts = journal.iter().zip(&records).filter_map(|(lying, record)| {
            let Kind::SaleClosed(sale) = &lying.entry.kind else { return None };
            Some((sale.number, record.seq, paper_head(&record.head())))
        });
        Self {
            id: reader.id().clone(),
            receipts: receipts.collect(),
            truth: records.iter().map(|record| (record.body.clone(), record.hash)).collect(),
            yesterday,
            keys: keys_of(&shop),
            no_keys: Arc::new(
                Keys::open(Arc::new(FaultyFiles::new()), Path::new("/k"), no_chance())
                    .expect("keys"),
            ),
            copy: copy_of(&shop),
            journal,
            shop,
        }
    }

    /// What the store and the cart's file know.
    fn head(&self) -> Head {
        let hash = self.truth.last().expect("entries").1;
        Head { seq: self.truth.len() as u64, hash }
    }

    /// The first entry that is not what it was, by its place.
    fn first_other(&self, journal: &[Lying]) -> u64 {
        let same = self.truth.iter().zip(journal).take_while(|((body, _), l)| *body == l.body);
        same.count() as u64 + 1
    }
}

fn no_chance() -> regi::store::keys::Chance {
    Arc::new(|bytes: &mut [u8]| bytes.fill(7))
}

fn keys_of(shop: &Shop) -> Arc<Keys> {
    let disk = FaultyFiles::new();
    for entry in std::fs::read_dir(shop.dir()).expect("a folder") {
        let entry = entry.expect("a file");
        let name = entry.file_name().into_string().expect("a name");
        if name.starts_with("keys") {
            let bytes = std::fs::read(entry.path()).expect("the keys");
            write_fresh(&disk, &Path::new("/").join(name), &bytes).expect("a copy of them");
        }
    }
    Arc::new(Keys::open(Arc::new(disk), Path::new("/keys.redb"), no_chance()).expect("keys"))
}

fn copy_of(shop: &Shop) -> CopyPlace {
    let disk = FaultyFiles::new();
    for name in ["01-202611.log", "01-202612.log"] {
        let bytes = std::fs::read(shop.dir().join("journal").join(name)).expect("a segment");
        write_fresh(&disk, &Path::new("/copy").join(name), &bytes).expect("its copy");
    }
    CopyPlace { files: Arc::new(disk), dir: "/copy".into() }
}

/// A journal as someone left it.
struct Scene<'a> {
    past: &'a Past,
    disk: FaultyFiles,
    journal: Vec<Lying>,
    first: u64,
    forged: Option<Signatures>,
    deed: Deed,
}

impl<'a> Scene<'a> {
    fn new(past: &'a Past, chance: &mut Chance) -> Self {
        let deed = DEEDS[chance.below(DEEDS.len() as u64) as usize];
        let forged = match chance.below(4) {
            0 => None,
            1 => Some(Signatures::Left),
            2 => Some(Signatures::Taken),
            _ => Some(Signatures::Own),
        };
        let mut journal = past.journal.clone();
        tamper(&mut journal, deed, past.yesterday, chance);
        let (disk, dir) = (FaultyFiles::new(), Path::new(FOLDER).join("journal"));
        match forged {
            None => splice(&disk, &dir, &past.id, &mut journal, &past.truth),
            Some(how) => forge(&disk, &dir, &past.id, &mut journal, how),
        }
        let first = past.first_other(&journal);
        Self { past, disk, journal, first, forged, deed }
    }

    fn history(&self) -> History {
        History::new(Arc::new(self.disk.clone()), Path::new(FOLDER))
    }

    fn reader(&self) -> Reader {
        self.history().reader(1, Epoch::FIRST).expect("a journal")
    }

    fn hear(&self, keys: &Arc<Keys>, copy: Option<&CopyPlace>) -> Vec<Disagreement> {
        let opening = Vec::new();
        let witnesses = Witnesses { keys, lane: 1, store: None, running: None, copy, opening };
        let mut audit = Audit::default();
        hear_journal(&self.history(), &witnesses, (1, Epoch::FIRST), &mut audit).expect("heard");
        audit.found.sort_by_key(Disagreement::place);
        audit.found
    }

    fn shortened(&self) -> bool {
        matches!(self.deed, Deed::CutTail | Deed::Yesterday)
    }

    /// The first Z that stands at the edit or behind it.
    fn z_behind(&self) -> Option<u64> {
        let is_z = |lying: &Lying| matches!(lying.entry.kind, Kind::ZClosed(_));
        let mut behind = self.journal.iter().zip(1..).filter(|(_, seq)| *seq >= self.first);
        behind.find(|(lying, _)| is_z(lying)).map(|(_, seq)| seq)
    }
}

/// Convictions, by witness.
#[derive(Default)]
struct Convicted {
    chain: u64,
    store: u64,
    copy: u64,
    signature: u64,
    receipt: u64,
}

/// Tampers with journals in every way and asks every witness alone.
pub fn journals(run: &Run) -> Figures {
    let past = Past::new();
    untouched_is_sound(&past);
    let cases = run.of(60, 10_000, 100_000);
    let mut convicted = Convicted::default();
    for case in run.cases(cases) {
        let mut chance = run.chance(case);
        let scene = Scene::new(&past, &mut chance);
        run.tell(format_args!(
            "{:?} at entry {}, hashes recomputed: {:?}",
            scene.deed, scene.first, scene.forged
        ));
        convict(&scene, &mut chance, &mut convicted);
        if case < run.of(2, 20, 100) {
            at_the_counter(&scene);
        }
    }
    Figures::default()
        .and(run.walked(cases), "tamperings")
        .and(convicted.chain, "found by the chain alone")
        .and(convicted.store, "by store or cart file")
        .and(convicted.copy, "by the copy, first entry named")
        .and(convicted.signature, "by a Z's signature")
        .and(convicted.receipt, "by a later receipt")
        .and(0, "unfound")
}

fn untouched_is_sound(past: &Past) {
    let disk = FaultyFiles::new();
    let dir = Path::new(FOLDER).join("journal");
    let mut journal = past.journal.clone();
    forge(&disk, &dir, &past.id, &mut journal, Signatures::Left);
    let scene = Scene { past, disk, journal, first: 0, forged: None, deed: Deed::Edit };
    assert_eq!(scene.hear(&past.keys, Some(&past.copy)), []);
    for (number, _, head) in &past.receipts {
        let verdict = paper_in_journal(&scene.reader(), *number, head).expect("read");
        assert_eq!(verdict, PaperVerdict::Agrees, "{number}");
    }
}

fn convict(scene: &Scene<'_>, chance: &mut Chance, convicted: &mut Convicted) {
    let past = scene.past;
    if scene.forged.is_none() && !scene.shortened() {
        let found = scene.hear(&past.no_keys, None);
        let Some(Disagreement::Record { damage, .. }) = found.first() else {
            panic!("the chain holds: {found:?}");
        };
        assert_eq!(damage.seq, scene.first, "the first bad entry: {found:?}");
        convicted.chain += 1;
        return;
    }
    by_head(scene);
    convicted.store += 1;
    by_copy(scene);
    convicted.copy += 1;
    convicted.signature += u64::from(by_signature(scene));
    convicted.receipt += u64::from(by_receipt(scene, chance));
}

/// The store, or the cart's file, knows the head: the journal is refused at its opening.
fn by_head(scene: &Scene<'_>) {
    let known = Known { checkpoint: None, witness: Some(scene.past.head()) };
    let opened = scene.history().open(1, Epoch::FIRST, known).expect("opened");
    let damage = opened.1.damage;
    assert!(!damage.is_empty(), "the head is another, and nobody says so");
    assert!(damage[0].seq >= scene.first, "{damage:?}");
}

fn by_copy(scene: &Scene<'_>) {
    let found = scene.hear(&scene.past.no_keys, Some(&scene.past.copy));
    let named = found.iter().find_map(|found| match found {
        Disagreement::Copy { says: CopySays::Other { seq }, .. } => Some(*seq),
        Disagreement::Copy { says: CopySays::More { from, .. }, .. } => Some(*from),
        _ => None,
    });
    assert_eq!(named, Some(scene.first), "{found:?}");
}

/// Every Z at or behind an edit convicts it, by its signature or by whose it is.
fn by_signature(scene: &Scene<'_>) -> bool {
    let Some(z) = scene.z_behind() else { return false };
    let found = scene.hear(&scene.past.keys, None);
    let told = found.iter().any(|found| match found {
        Disagreement::Seal { seq, .. } => *seq == z && scene.forged != Some(Signatures::Own),
        Disagreement::Key { .. } => scene.forged == Some(Signatures::Own),
        _ => false,
    });
    assert!(told, "Z {z} is behind entry {}: {found:?}", scene.first);
    true
}

/// A receipt of the same day or later that was printed before the deed.
fn by_receipt(scene: &Scene<'_>, chance: &mut Chance) -> bool {
    let later: Vec<_> =
        scene.past.receipts.iter().filter(|(_, seq, _)| *seq >= scene.first).collect();
    let Some(at) = (later.len() as u64).checked_sub(1) else { return false };
    let (number, _, head) = later[chance.below(at + 1) as usize];
    let verdict = paper_in_journal(&scene.reader(), *number, head).expect("read");
    assert_ne!(verdict, PaperVerdict::Agrees, "{number}");
    true
}

/// The same through the binary, the store and the cart's file being the witnesses: `verify` says so,
/// twice, and in between the register takes no sale and shows no figure of the day.
fn at_the_counter(scene: &Scene<'_>) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let dir = folder.path().join("shop");
    copy_folder(&scene.past.shop.dir(), &dir);
    for name in scene.past.shop.segments() {
        let name = name.file_name().expect("a name");
        std::fs::remove_file(dir.join("journal").join(name)).expect("removed");
    }
    let memory = Path::new(FOLDER).join("journal");
    for name in scene.disk.list(&memory).expect("a folder") {
        let bytes = regi::store::files::read_whole(&scene.disk, &memory.join(&name)).expect("read");
        std::fs::write(dir.join("journal").join(&name), bytes).expect("written");
    }
    let regi = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_regi"));
        command.arg("--shop").arg(&dir).args(["--lang", "en", "--at", "2026-12-01T12:00:00+09:00"]);
        command.args(words).output().expect("regi")
    };
    let acts = [("sale.txt", "department 1 100\ntender_cash\n"), ("day.txt", "x_report\n")];
    let scripts = acts.map(|(name, lines)| {
        let script = folder.path().join(name);
        std::fs::write(&script, lines).expect("a script");
        script
    });
    for round in 1..=2 {
        let verified = regi(&["verify"]);
        let said = String::from_utf8_lossy(&verified.stdout);
        assert_eq!(verified.status.code(), Some(3), "round {round}: {said}");
        for script in &scripts {
            let done = regi(&["run", script.to_str().expect("a name")]);
            let said =
                String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
            assert_ne!(done.status.code(), Some(0), "{said}");
            assert!(said.contains("regi verify"), "refused for another reason: {said}");
        }
    }
}
