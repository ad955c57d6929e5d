//! What a checked file promises: the bytes that were written, or an error; the last sync, or the one
//! before.

use super::super::faulty::{FaultKind, FaultyFiles, Keep, Lasting};
use super::*;

const PATH: &str = "/shop/store.redb";

fn path() -> &'static Path {
    Path::new(PATH)
}

fn block(seed: u8) -> Vec<u8> {
    (0..BLOCK).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect()
}

/// A file of a front and seven blocks, in three syncs.
fn filled(files: &FaultyFiles) -> Arc<CheckedFile> {
    let file = create(files, path()).unwrap();
    file.set_len(8 * BLOCK as u64).unwrap();
    for seed in 1..8 {
        file.write_at(u64::from(seed) * BLOCK as u64, &block(seed)).unwrap();
        file.write_at(0, &[seed; 320]).unwrap();
        if seed % 3 == 0 {
            file.sync_data().unwrap();
        }
    }
    file.sync_data().unwrap();
    file
}

fn front(file: &CheckedFile) -> u8 {
    let mut byte = [0];
    read_full(file, 100, &mut byte).unwrap();
    byte[0]
}

#[test]
fn what_was_synced_is_read_back_in_any_piece() {
    let files = FaultyFiles::new();
    drop(filled(&files));
    let file = open(&files, path()).unwrap();
    assert_eq!(file.len().unwrap(), 8 * BLOCK as u64);
    file.check_all().unwrap();
    let mut whole = vec![0; 8 * BLOCK];
    read_full(&*file, 0, &mut whole).unwrap();
    assert_eq!(&whole[..321], [&[7; 320][..], &[0]].concat());
    for seed in 1..8 {
        assert_eq!(whole[usize::from(seed) * BLOCK..][..BLOCK], block(seed));
    }
    let mut piece = [0; 5000];
    read_full(&*file, 6000, &mut piece).unwrap();
    assert_eq!(piece, whole[6000..11_000]);
    file.write_at(6000, b"across").unwrap();
    read_full(&*file, 5998, &mut piece[..10]).unwrap();
    assert_eq!(&piece[2..8], b"across");
}

#[test]
fn every_flipped_bit_of_a_block_or_a_list_is_an_error() {
    let files = FaultyFiles::new();
    drop(filled(&files));
    let list = files.list(parent(path())).unwrap();
    assert_eq!(list, ["store-1.sums", "store.redb"]);
    for name in list {
        let path_of = parent(path()).join(&name);
        let len = read_whole(&files, &path_of).unwrap().len() as u64;
        for bit in (0..len * 8).step_by(if name == "store.redb" { 997 } else { 1 }) {
            let header = name == "store.redb" && bit / 8 < BLOCK as u64;
            if header && bit / 8 >= HEADER_LEN as u64 {
                continue; // Nothing is kept there.
            }
            let flipped = files.fork();
            flipped.flip(&path_of, bit / 8, (bit % 8) as u8);
            let read = open(&flipped, path()).and_then(|file| file.check_all());
            assert_eq!(read.unwrap_err().kind(), ErrorKind::InvalidData, "{name} bit {bit}");
        }
    }
}

#[test]
fn a_block_that_was_written_elsewhere_is_an_error_in_both_places() {
    let files = FaultyFiles::new();
    drop(filled(&files));
    files.stray(path(), 3 * BLOCK as u64, &block(5));
    let file = open(&files, path()).unwrap();
    assert!(read_full(&*file, 3 * BLOCK as u64, &mut [0; BLOCK]).is_err());
    assert!(file.is_damaged());
}

#[test]
fn a_cut_at_any_change_leaves_a_moment_that_was_synced() {
    let files = FaultyFiles::new();
    let file = filled(&files);
    files.roll();
    let mut marks = vec![7];
    for seed in 8..20_u8 {
        // As redb does: blocks nobody needs any more, then the front, then a sync.
        file.write_at(u64::from(seed % 7 + 1) * BLOCK as u64, &block(seed)).unwrap();
        file.write_at(0, &[seed; 320]).unwrap();
        file.sync_data().unwrap();
        marks.push(seed);
        files.mark(marks.len() as u64 - 1);
    }
    for (place, frame) in files.film().frames().iter().enumerate() {
        for keep in Keep::ALL {
            let disk = frame.disk();
            disk.power_cut(keep, place as u64);
            let mark = frame.mark() as usize;
            let front = front(&open(&disk, path()).unwrap());
            let want = &marks[mark..(mark + 2).min(marks.len())];
            assert!(want.contains(&front), "{place} {keep:?}: {front}, not {want:?}");
        }
    }
}

#[test]
fn a_file_that_shrank_and_grew_again_shows_zeros_where_it_was_cut() {
    let files = FaultyFiles::new();
    let file = filled(&files);
    file.set_len(4 * BLOCK as u64).unwrap();
    file.set_len(6 * BLOCK as u64).unwrap();
    file.sync_data().unwrap();
    let file = open(&files, path()).unwrap();
    file.check_all().unwrap();
    let mut bytes = [1; BLOCK];
    read_full(&*file, 5 * BLOCK as u64, &mut bytes).unwrap();
    assert_eq!(bytes, [0; BLOCK]);
}

#[test]
fn a_file_put_in_the_place_of_another_brings_its_own_list() {
    let files = FaultyFiles::new();
    drop(filled(&files));
    let new = Path::new("/shop/store.redb.new");
    let file = create(&files, new).unwrap();
    file.write_at(0, b"another").unwrap();
    file.sync_data().unwrap();
    files.rename(new, path()).unwrap();
    let file = open(&files, path()).unwrap();
    assert_eq!(file.len().unwrap(), 7);
    assert_eq!(files.list(parent(path())).unwrap(), ["store-2.sums", "store.redb"]);
}

#[test]
fn what_only_readers_see_of_a_list_is_made_durable_before_anything_stands_behind_it() {
    let files = FaultyFiles::new();
    let file = filled(&files);
    file.write_at(0, &[8; 320]).unwrap();
    // The blocks are synced, the record is written, and its sync fails.
    files.fail_at(3, FaultKind::Eio, Lasting::Once);
    assert!(file.sync_data().is_err() && file.is_given_up());
    assert!(file.sync_data().is_err(), "a second one would answer and have written nothing");
    assert!(file.write_at(BLOCK as u64, &block(9)).is_err());
    drop(file);
    let shared = Arc::new(files.clone()) as Arc<dyn Files>;
    let changes = files.counts().changes;
    let file = open_carefully(&shared, path()).unwrap();
    assert_eq!((front(&file), files.counts().changes), (8, changes));
    for seed in 9..12 {
        file.write_at(u64::from(seed % 7 + 1) * BLOCK as u64, &block(seed)).unwrap();
        file.write_at(0, &[seed; 320]).unwrap();
        file.sync_data().unwrap();
        for keep in Keep::ALL {
            let disk = files.fork();
            disk.power_cut(keep, 1);
            assert_eq!(front(&open(&disk, path()).unwrap()), seed, "{keep:?}");
        }
    }
}

#[test]
fn a_settled_file_is_the_one_that_readers_saw() {
    let files = FaultyFiles::new();
    let file = filled(&files);
    file.write_at(0, &[8; 320]).unwrap();
    files.fail_at(3, FaultKind::Eio, Lasting::Once);
    assert!(file.sync_data().is_err());
    let shared = Arc::new(files.clone()) as Arc<dyn Files>;
    let file = open_carefully(&shared, path()).unwrap();
    file.settle().unwrap();
    let syncs = files.counts().syncs;
    file.settle().unwrap();
    assert_eq!(files.counts().syncs, syncs, "once is enough");
    files.power_cut(Keep::Nothing, 1);
    assert_eq!(front(&open(&files, path()).unwrap()), 8);
}

#[test]
fn what_found_no_room_was_not_given_up_and_who_only_reads_changes_nothing() {
    let files = FaultyFiles::new();
    let file = filled(&files);
    files.set_capacity(files.used());
    file.set_len(9 * BLOCK as u64).unwrap();
    assert!(file.write_at(8 * BLOCK as u64, &block(9)).is_err());
    assert!(!file.is_given_up());
    files.heal();
    let file = open_to_read(&files, path()).unwrap();
    assert_eq!(front(&file), 7);
    assert!(file.write_at(BLOCK as u64, &block(9)).is_err() && file.sync_data().is_err());
}
