//! A backup brought back on trial: a shop is made of it elsewhere, and held against what the register
//! knew when its day was closed.
//!
//! Room: store. May touch: the backup, to read; a scratch folder that is the drill's own.
//! Invariant: says yes only when every chain is whole to the head that the backup names, following its
//! entries gives the register's own state, and its keys open what members told; the shop's files are not
//! opened. Takes no memory for the size of the shop: it runs beside a counter.

use std::path::Path;
use std::sync::Arc;

use super::backup::BackedHead;
use super::chain::{Epoch, Hash, Head};
use super::fault::StoreError;
use super::files::Files;
use super::folding::Step;
use super::history::{History, each_batch};
use super::keys::{Chance, Keys};
use super::opening::{Known, TailFound};
use super::projections::Watch;
use super::reader::Reader;
use super::restore::{OverNewer, Restore};
use super::sealing::{self, KeyRing};
use super::shop::KEYS_NAME;
use super::verify::Watch as ChainWatch;
use crate::domain::entry::{Header, Kind};
use crate::domain::lane::LaneState;
use crate::domain::member::MemberCard;
use crate::domain::settings::{Settings, fold_settings};

/// What a drill needs.
pub struct Drill<'a> {
    pub files: &'a Arc<dyn Files>,
    pub backup: &'a Path,
    /// Where the shop is made; the caller removes it, for it holds keys.
    pub scratch: &'a Path,
    pub chance: Chance,
    pub pid: u32,
}

impl Drill<'_> {
    /// Restores the backup and follows the register through it up to the entry `at`, after which it was
    /// `want`. Returns how many entries were read.
    ///
    /// # Errors
    /// `Backup` when what came back is another shop; or why it could not be made.
    pub fn run(&self, want: &LaneState, at: Head, watch: Watch<'_>) -> Result<u64, StoreError> {
        let manifest = Restore {
            files: self.files,
            backup: self.backup,
            shop_dir: self.scratch,
            chance: self.chance.clone(),
            over_newer: OverNewer::Replace,
            pid: self.pid,
        }
        .run()?;
        let history = History::new(self.files.clone(), self.scratch);
        let entries = manifest.heads.iter().map(|head| whole_chain(&history, head));
        let entries = entries.sum::<Result<u64, _>>()?;
        let path = self.scratch.join(KEYS_NAME);
        let keys = Keys::open_existing(self.files.clone(), &path, self.chance.clone())?;
        let mut walk = Walk::along(want, at, keys.ring(1)?);
        for (lane, epoch) in history.journals()? {
            walk.through(&history.reader(lane, epoch)?, watch)?;
        }
        walk.judge().map(|()| entries)
    }
}

/// Entries read together.
const AT_ONCE: usize = 256;

/// Every entry of a shop, read in order: what the register became, and whose data opens.
struct Walk<'a> {
    want: &'a LaneState,
    at: Head,
    keys: KeyRing,
    lane: LaneState,
    settings: Settings,
    /// The entry `at` was passed: what follows came after the Z.
    is_past: bool,
}

impl<'a> Walk<'a> {
    fn along(want: &'a LaneState, at: Head, keys: KeyRing) -> Self {
        Self {
            want,
            at,
            keys,
            lane: LaneState::new(want.lane),
            settings: Settings::default(),
            is_past: false,
        }
    }

    fn through(&mut self, journal: &Reader, watch: Watch<'_>) -> Result<(), StoreError> {
        each_batch(journal, 1, AT_ONCE, |steps| {
            for step in steps {
                self.members_of(&step.entry.kind)?;
                if step.entry.header.lane == self.want.lane && !self.is_past {
                    self.follow(step)?;
                }
            }
            watch(steps.last().map_or(0, |step| step.place.seq), journal.head().seq);
            Ok(())
        })
    }

    fn follow(&mut self, step: &Step) -> Result<(), StoreError> {
        let Header { epoch, seq, .. } = step.entry.header;
        fold_settings(&mut self.settings, &step.entry.kind)
            .map_err(|refusal| StoreError::Unfit { seq, what: refusal.to_string() })?;
        self.lane.fold(&step.entry);
        if (epoch, seq) == (self.want.epoch, self.at.seq) {
            if step.place.head() != self.at {
                return Err(StoreError::Backup("brought back on trial, the Z is another one"));
            }
            self.is_past = true;
        }
        Ok(())
    }

    /// What a key is there for opens with it. Where there is none the member was erased, or the register
    /// knows it no more.
    fn members_of(&self, kind: &Kind) -> Result<(), StoreError> {
        match kind {
            Kind::MemberSet(card) => self.open(card),
            Kind::MembersImported { members, .. } => {
                members.iter().try_for_each(|member| self.open(&member.card))
            }
            _ => Ok(()),
        }
    }

    fn open(&self, card: &MemberCard) -> Result<(), StoreError> {
        sealing::open(&card.code, &card.personal, || self.keys.key(&card.code)).map(drop)
    }

    fn judge(&self) -> Result<(), StoreError> {
        let why = if !self.is_past {
            "brought back on trial, the Z is not in it"
        } else if self.lane != *self.want {
            "brought back on trial, its totals are not the register's"
        } else {
            return Ok(());
        };
        Err(StoreError::Backup(why))
    }
}

/// Recomputes a journal to the head that the backup names, and returns its entries.
fn whole_chain(history: &History, want: &BackedHead) -> Result<u64, StoreError> {
    let differs = StoreError::Backup("brought back on trial, it ends elsewhere");
    let Some(epoch) = Epoch::new(want.epoch) else { return Err(differs) };
    let (reader, report) = history.open(want.lane, epoch, Known::default())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chain = reader.verify(None, threads, &ChainWatch::default());
    let head = Head { seq: want.seq, hash: Hash::from_bytes(want.hash) };
    let whole = chain.damage.is_empty() && !matches!(report.tail, TailFound::Damaged(_));
    if whole && chain.head == head { Ok(chain.records) } else { Err(differs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::Kind;
    use crate::domain::money::yen;
    use crate::store::backup;
    use crate::store::files::faulty::FaultyFiles;
    use crate::store::keys::tests::counting_chance;
    use crate::store::shop::Shop;
    use crate::store::test_shop::{card, create, line, open, receipt, sale, say};

    const BACKUP: &str = "/backup.regi";

    fn sell(shop: &mut Shop, number: u32) {
        let sale = sale(receipt(number), vec![line("4901234567894", "牛乳", 1, 248)]);
        say(shop, i64::from(number) * 100, vec![Kind::SaleClosed(Box::new(sale))]);
    }

    /// A shop, what its register knew, its head then; and a backup made two sales later.
    fn backed_up(disk: &FaultyFiles) -> (LaneState, Head) {
        let mut shop = create(disk);
        let member = card("m1", "山田", "ヤマダ", "09012345678");
        say(&mut shop, 1, vec![Kind::MemberSet(Box::new(member))]);
        (1..=4).for_each(|number| sell(&mut shop, number));
        let at = shop.journal().head();
        shop.reader().wait_folded(at.seq).unwrap();
        let lane = shop.reader().lane(1).unwrap().unwrap();
        (5..=6).for_each(|number| sell(&mut shop, number));
        let files: Arc<dyn Files> = Arc::new(disk.clone());
        backup::write(&files, Path::new("/shop"), shop.keys(), Path::new(BACKUP)).unwrap();
        (lane, at)
    }

    fn drill(disk: &FaultyFiles, want: &LaneState, at: Head) -> Result<u64, StoreError> {
        let files: Arc<dyn Files> = Arc::new(disk.clone());
        let (backup, scratch) = (Path::new(BACKUP), Path::new("/drill"));
        let drill = Drill { files: &files, backup, scratch, chance: counting_chance(), pid: 7 };
        drill.run(want, at, &mut |_, _| {})
    }

    #[test]
    fn a_backup_gives_the_register_of_its_z_back_while_that_sells_on() {
        let disk = FaultyFiles::new();
        let (lane, at) = backed_up(&disk);
        assert_eq!(drill(&disk, &lane, at).unwrap(), 9);
        assert_eq!(drill(&disk, &lane, at).unwrap(), 9, "and again, over what the first one left");
    }

    #[test]
    fn a_backup_of_another_state_or_another_chain_is_told_apart() {
        let disk = FaultyFiles::new();
        let (lane, at) = backed_up(&disk);
        let richer = LaneState {
            grand_total: lane.grand_total.checked_add(yen(1)).unwrap(),
            ..lane.clone()
        };
        let other = Head { hash: Hash::from_bytes([7; 32]), ..at };
        let earlier = Head { seq: at.seq - 1, ..at };
        for (want, at) in [(&richer, at), (&lane, other), (&lane, earlier)] {
            assert!(matches!(drill(&disk, want, at), Err(StoreError::Backup(_))));
        }
    }

    #[test]
    fn a_backup_whose_keys_do_not_open_what_members_told_fails_its_trial() {
        let disk = FaultyFiles::new();
        let (lane, at) = backed_up(&disk);
        let files: Arc<dyn Files> = Arc::new(disk.clone());
        let shop = open(&disk).shop;
        let back_up = || {
            disk.remove(Path::new(BACKUP)).unwrap();
            backup::write(&files, Path::new("/shop"), shop.keys(), Path::new(BACKUP)).unwrap();
        };
        shop.keys().erase_member("m1").unwrap();
        back_up();
        assert_eq!(drill(&disk, &lane, at).unwrap(), 9, "an erased member opens no more");
        shop.keys().create_members(["another", "m1"]).unwrap();
        back_up();
        assert!(matches!(drill(&disk, &lane, at), Err(StoreError::Unfit { .. })), "another key");
    }

    #[test]
    fn a_damaged_backup_fails_its_trial() {
        let disk = FaultyFiles::new();
        let (lane, at) = backed_up(&disk);
        let len = disk.open(Path::new(BACKUP)).unwrap().len().unwrap();
        for offset in (0..len).step_by(211) {
            disk.flip(Path::new(BACKUP), offset, 1);
            assert!(drill(&disk, &lane, at).is_err(), "byte {offset} of {len}");
            disk.flip(Path::new(BACKUP), offset, 1);
        }
    }
}
