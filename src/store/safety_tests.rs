//! Backups, restores, audits and random histories over a disk that is cut and edited.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use redb::ReadableDatabase;

use super::audit::{self, Audit, Disagreement, PaperVerdict, Snapshot, Witnesses, audit};
use super::backup;
use super::fault::StoreError;
use super::files::faulty::{FaultyFiles, Keep};
use super::files::{Files, read_whole};
use super::history::History;
use super::keys::tests::counting_chance;
use super::projections;
use super::restore::{OverNewer, Restore};
use super::segment::SegmentName;
use super::shop::Shop;
use super::tables::first_difference;
use super::test_shop::*;
use super::z_signing::tests::closing;
use crate::domain::entry::Kind;
use crate::domain::member::{MemberCard, Sealed};
use crate::domain::register::Lookup;

const BACKUP: &str = "/backup.regi";

fn sell(shop: &mut Shop, number: u32) {
    let sale = sale(receipt(number), vec![line("4901234567894", "牛乳", 1, 248)]);
    say(shop, i64::from(number) * 100, vec![Kind::SaleClosed(Box::new(sale))]);
}

fn shop_with(files: &FaultyFiles, sales: u32) -> Shop {
    let mut shop = create(files);
    say(&mut shop, 1, vec![Kind::MemberSet(Box::new(card("m1", "山田", "ヤマダ", "09012345678")))]);
    (1..=sales).for_each(|number| sell(&mut shop, number));
    shop
}

fn back_up(files: &FaultyFiles, shop: &Shop) {
    let layer: Arc<dyn Files> = Arc::new(files.clone());
    backup::write(&layer, Path::new("/shop"), shop.keys(), Path::new(BACKUP)).unwrap();
}

fn restore(files: &FaultyFiles, dir: &str, over_newer: OverNewer) -> Result<(), StoreError> {
    let layer: Arc<dyn Files> = Arc::new(files.clone());
    let (backup, shop_dir) = (Path::new(BACKUP), Path::new(dir));
    let chance = counting_chance();
    Restore { files: &layer, backup, shop_dir, chance, over_newer, pid: 7 }.run().map(|_| ())
}

/// Nobody has looked up what rotted: only reading the whole store finds it.
#[test]
fn a_page_that_rots_is_found_after_the_z_and_the_store_made_anew() {
    let files = FaultyFiles::new();
    let mut shop = shop_with(&files, 30);
    say(&mut shop, 9_000, vec![Kind::ZClosed(Box::new(closing()))]);
    shop.reader().wait_folded(shop.journal().head().seq).unwrap();
    let store = Path::new("/shop/store.redb");
    let pages = files.open(store).unwrap().len().unwrap() / 4096;
    (1..pages).for_each(|page| files.flip(store, page * 4096 + 100, 1));
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while shop.reader().progress.mends() == 0 {
        assert!(std::time::Instant::now() < patience, "the store stands as it is");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(projections::open_whole(&files, store).is_some(), "and is whole again");
    assert_eq!(shop.reader().member("m1").unwrap().unwrap().code, "m1");
}

#[test]
fn a_backup_brings_the_whole_shop_back_in_a_new_epoch() {
    let files = FaultyFiles::new();
    let shop = shop_with(&files, 5);
    back_up(&files, &shop);
    drop(shop);
    restore(&files, "/other", OverNewer::Refuse).unwrap();
    let place = super::shop::ShopPlace { dir: "/other".into(), ..place(&files) };
    let opened = place.begin_epoch("restored", now(9_000), &mut |_, _| {}).unwrap();
    let member = opened.shop.reader().member("m1").unwrap().unwrap();
    assert_eq!(member.personal.name, "山田");
    assert!(opened.shop.reader().sale(receipt(5)).unwrap().is_some());
    let next = opened.lane.next_number(crate::domain::number::DocKind::Receipt);
    assert_eq!(next.to_string(), "01b-000001");
}

#[test]
fn a_backup_with_one_flipped_bit_is_refused() {
    let files = FaultyFiles::new();
    let shop = shop_with(&files, 2);
    back_up(&files, &shop);
    let len = read_whole(&files, Path::new(BACKUP)).unwrap().len() as u64;
    for offset in (0..len).step_by(97) {
        files.flip(Path::new(BACKUP), offset, 2);
        assert!(backup::check(&files, Path::new(BACKUP)).is_err(), "offset {offset} of {len}");
        files.flip(Path::new(BACKUP), offset, 2);
    }
    assert!(backup::check(&files, Path::new(BACKUP)).is_ok());
}

#[test]
fn a_newer_journal_is_not_replaced_in_silence_and_erased_members_stay_erased() {
    let files = FaultyFiles::new();
    let mut shop = shop_with(&files, 1);
    back_up(&files, &shop);
    let gone = MemberCard { personal: Sealed::Erased, ..card("m1", "", "", "") };
    say(&mut shop, 900, vec![Kind::MemberSet(Box::new(gone))]);
    drop(shop);
    assert!(matches!(restore(&files, "/shop", OverNewer::Refuse), Err(StoreError::Backup(_))));
    restore(&files, "/shop", OverNewer::Replace).unwrap();
    let opened = open(&files);
    assert!(opened.shop.reader().member("m1").unwrap().is_none());
    assert!(opened.shop.reader().sale(receipt(1)).unwrap().is_some());
}

#[test]
fn a_restore_cut_anywhere_leaves_the_old_shop_or_the_new_one() {
    for cut in 1..60 {
        let files = FaultyFiles::new();
        let shop = shop_with(&files, 2);
        back_up(&files, &shop);
        let mut shop = shop;
        sell(&mut shop, 3);
        shop.close().unwrap();
        files.cut_at(cut);
        let done = restore(&files, "/shop", OverNewer::Replace);
        files.power_cut(Keep::Random, cut);
        let opened = open(&files);
        let sold = |number| opened.shop.reader().sale(receipt(number)).unwrap().is_some();
        assert!(sold(1) && sold(2), "cut {cut}");
        assert!(done.is_err() || !sold(3), "cut {cut}: what was restored is the backup");
        assert!(opened.shop.reader().member("m1").unwrap().is_some(), "cut {cut}");
    }
}

/// The second cut comes while the first one is being made good.
#[test]
fn a_restore_cut_twice_leaves_the_old_shop_or_the_new_one() {
    let before = FaultyFiles::new();
    let mut shop = shop_with(&before, 2);
    back_up(&before, &shop);
    sell(&mut shop, 3);
    shop.close().unwrap();
    for first in 1.. {
        for second in (1..24).step_by(2) {
            let files = before.fork();
            files.cut_at(first);
            if restore(&files, "/shop", OverNewer::Replace).is_ok() {
                assert!(first > 60, "a restore writes more often");
                return;
            }
            files.power_cut(Keep::Everything, first);
            files.cut_at(second);
            drop(place(&files).open(&mut |_, _| {}));
            files.power_cut(Keep::Everything, second);
            let opened = open(&files);
            let sold = |number| opened.shop.reader().sale(receipt(number)).unwrap().is_some();
            assert!(sold(1) && sold(2), "cut {first}, then {second}");
        }
    }
}

fn audited(files: &FaultyFiles) -> Audit {
    let layer: Arc<dyn Files> = Arc::new(files.clone());
    let dir = Path::new("/shop");
    let keys = keys(files);
    let opened = projections::open(files, &dir.join("store.redb")); // A snapshot needs it open.
    let history = History::new(layer, dir);
    let scratch = dir.join("scratch.redb");
    let store = opened.as_ref().map(|opened| Snapshot::of(opened).unwrap());
    let opening = Vec::new();
    let witnesses = Witnesses { keys: &keys, lane: 1, store, running: None, copy: None, opening };
    audit(&history, &witnesses, &scratch, &mut |_, _| {}).unwrap()
}

#[test]
fn an_audit_passes_a_sound_shop_and_names_the_first_edited_entry() {
    let files = FaultyFiles::new();
    shop_with(&files, 20).close().unwrap();
    let sound = audited(&files);
    assert_eq!((sound.entries, sound.found), (23, vec![]));
    let names = files.list(journal_dir()).unwrap();
    let segment = names.iter().find(|name| SegmentName::parse(name).is_some()).unwrap();
    let path = journal_dir().join(segment);
    let reader = History::new(Arc::new(files.clone()), Path::new("/shop"))
        .reader(1, super::chain::Epoch::FIRST)
        .unwrap();
    let edited = reader.read(10).unwrap();
    files.flip(&path, edited.offset + 30, 0);
    match audited(&files).found.first() {
        Some(Disagreement::Record { lane: 1, damage }) if damage.seq == 10 => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_audit_names_the_table_that_does_not_follow_from_the_journal() {
    let files = FaultyFiles::new();
    shop_with(&files, 3).close().unwrap();
    let db = projections::open(&files, Path::new("/shop/store.redb")).unwrap();
    let txn = db.begin_write().unwrap();
    let mut items = super::items::Writer::open(&txn).unwrap();
    items.counted("4901234567894", 99.into()).unwrap();
    items.close().unwrap();
    txn.commit().unwrap();
    drop(db);
    let table = Disagreement::Table { name: "stock".to_owned() };
    assert_eq!(audited(&files).found, [table]);
}

#[test]
fn a_paper_agrees_with_its_own_entry_only() {
    let files = FaultyFiles::new();
    let shop = shop_with(&files, 3);
    let history = History::new(Arc::new(files.clone()), Path::new("/shop"));
    let seq = shop.reader().sale(receipt(2)).unwrap().unwrap().seq;
    let head = audit::paper_head(&shop.journal().read(seq).unwrap().head());
    let check = |number, head: &str| {
        audit::check_paper(&history, shop.reader(), receipt(number), head).unwrap()
    };
    assert_eq!(check(2, &head.to_uppercase()), PaperVerdict::Agrees);
    assert!(matches!(check(3, &head), PaperVerdict::Differs { .. }));
    assert_eq!(check(9, &head), PaperVerdict::Unknown);
}

/// An act of a random day.
#[derive(Debug, Clone)]
enum Act {
    Sell { member: Option<u8>, quantity: i64, earned: i64 },
    Return { of: u8 },
    Void { of: u8 },
    Member { code: u8, name: u8 },
    Erase { code: u8 },
    Item { code: u8, price: i64, stock: Option<i64> },
    Import { members: Vec<u8> },
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (proptest::option::of(0..4u8), 1..5i64, 0..9i64)
            .prop_map(|(member, quantity, earned)| Act::Sell { member, quantity, earned }),
        1 => (0..20u8).prop_map(|of| Act::Return { of }),
        1 => (0..20u8).prop_map(|of| Act::Void { of }),
        2 => (0..4u8, 0..4u8).prop_map(|(code, name)| Act::Member { code, name }),
        1 => (0..4u8).prop_map(|code| Act::Erase { code }),
        2 => (0..4u8, 1..500i64, proptest::option::of(0..50i64))
            .prop_map(|(code, price, stock)| Act::Item { code, price, stock }),
        1 => proptest::collection::vec(0..6u8, 0..8).prop_map(|members| Act::Import { members }),
        1 => Just(Act::Reopen),
    ]
}

const NAMES: [(&str, &str); 4] =
    [("山田", "ヤマダ"), ("髙橋", "タカハシ"), ("大野", "オオノ"), ("", "")];

/// What a random history has to remember to go on sensibly.
struct Walk {
    sold: u32,
    returned: u32,
    imports: u128,
    erased: std::collections::HashSet<u8>,
}

impl Walk {
    fn kinds(&mut self, act: &Act, shop: &Shop) -> Vec<Kind> {
        let stored = |of: u8| shop.reader().sale(receipt(u32::from(of) + 1)).unwrap();
        match act {
            Act::Sell { member, quantity, earned } => {
                self.sold += 1;
                let lines = vec![line("i1", "牛乳", *quantity, 248)];
                let plain = sale(receipt(self.sold), lines);
                let sale = match member {
                    Some(code) => with_member(plain, &format!("m{code}"), 0, earned - 1, *earned),
                    None => plain,
                };
                vec![Kind::SaleClosed(Box::new(sale))]
            }
            Act::Return { of } => {
                let Some(sold) = stored(*of).filter(|sold| !sold.voided) else { return vec![] };
                self.returned += 1;
                let back = line("i1", "牛乳", -1, 248);
                let slip = goods_back(return_slip(self.returned), sold.sale.number, 1, back);
                vec![Kind::SaleClosed(Box::new(slip))]
            }
            Act::Void { of } => {
                let Some(sold) = stored(*of).filter(|sold| !sold.voided) else { return vec![] };
                let (receipt, sale) = (sold.sale.number, Box::new(sold.sale));
                let (reason, sold_by, sold_hour) = (String::new(), 0, 10);
                vec![Kind::ReceiptVoided { receipt, reason, sale, sold_by, sold_hour }]
            }
            Act::Member { code, name } if !self.erased.contains(code) => {
                let (name, kana) = NAMES[usize::from(*name)];
                let phone = format!("0901234567{code}");
                vec![Kind::MemberSet(Box::new(card(&format!("m{code}"), name, kana, &phone)))]
            }
            Act::Member { .. } => vec![],
            Act::Erase { code } => {
                self.erased.insert(*code);
                let dead = card(&format!("m{code}"), "", "", "");
                vec![Kind::MemberSet(Box::new(MemberCard { personal: Sealed::Erased, ..dead }))]
            }
            Act::Item { code, price, stock } => {
                let stock = stock.map(Into::into);
                let base = item(&format!("i{code}"), "牛乳", "ギュウニュウ", *price);
                vec![Kind::ItemSet(Box::new(crate::domain::item::Item { stock, ..base }))]
            }
            Act::Import { members } => {
                self.imports += 1;
                let import = self.imports;
                let living = members.iter().filter(|code| !self.erased.contains(code));
                let rows = living.map(|code| {
                    let (name, kana) = NAMES[usize::from(code % 4)];
                    imported(&format!("m{code}"), name, kana, "0311112222", i64::from(*code))
                });
                let members = rows.collect();
                vec![
                    Kind::MembersImported { import, members },
                    Kind::ImportClosed { import, rows: 0 },
                ]
            }
            Act::Reopen => vec![],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_rebuild_of_any_history_equals_the_store_that_followed_it(
        acts in proptest::collection::vec(act(), 1..40)
    ) {
        let files = FaultyFiles::new();
        let mut shop = create(&files);
        let (sold, returned, imports) = (0, 0, 0);
        let mut walk = Walk { sold, returned, imports, erased: Default::default() };
        for (at, act) in acts.iter().enumerate() {
            if matches!(act, Act::Reopen) {
                drop(shop);
                shop = open(&files).shop;
            }
            let kinds = walk.kinds(act, &shop);
            say(&mut shop, at as i64 * 1000, kinds);
        }
        shop.close().unwrap();
        let keys = keys(&files);
        let dir = Path::new("/shop");
        let followed = projections::open(&files, &dir.join("store.redb")).unwrap();
        let fresh = projections::create(&files, &dir.join("fresh.redb")).unwrap();
        let fresh = Arc::new(fresh);
        let history = History::new(Arc::new(files.clone()), dir);
        projections::catch_up(&fresh, &keys, &history, &mut |_, _| {}).unwrap();
        let (followed, fresh) = (followed.begin_read().unwrap(), fresh.begin_read().unwrap());
        prop_assert_eq!(first_difference(&followed, &fresh).unwrap(), None);
    }
}
