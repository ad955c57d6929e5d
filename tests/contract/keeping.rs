//! What keeps the shop's records: proof, backup, restoring, rebuilding, one register at a time.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::support::{HANAKO, MEMBERS, Shop, copy_folder, text};

/// A shop with a little of everything.
fn lived_in() -> Shop {
    let shop = Shop::new("").with_items("code,name,price\n1,茶,100\n").with_members(MEMBERS);
    shop.sell(&format!(
        "open_day 10000\nmember {HANAKO}\nscan 1\nquantity 3\ntender_cash 500\n\
         scan 1\nsuspend\ndepartment 2 700\ntender_credit\nreturn 01-000001 1:1\ntender_cash\n\
         paid_out 100 切手\ncount 10000x1\nz_report\ndepartment 1 200\ntender_cash\ndepartment 1 50"
    ));
    shop
}

/// Everything a shop can tell of itself.
fn told_of(shop: &Shop) -> Vec<String> {
    ["sales", "lines", "items", "members", "points", "shop"]
        .map(|what| shop.told(&["export", what]))
        .to_vec()
}

#[test]
fn verify_proves_a_sound_shop() {
    lived_in().verify();
}

#[test]
fn verify_names_the_entry_that_was_changed() {
    let shop = lived_in();
    let segment = shop.segments().pop().expect("a segment");
    let sound = std::fs::read(&segment).expect("its bytes");
    for part in [3, 5, 8] {
        let mut bytes = sound.clone();
        let place = bytes.len() * part / 9;
        bytes[place] ^= 0x10;
        std::fs::write(&segment, &bytes).expect("damage");
        let done = shop.regi(&["verify"]);
        let said = text(&done.stdout) + &text(&done.stderr);
        assert_eq!(done.status.code(), Some(3), "byte {place}: {said}");
        assert!(said.bytes().any(|byte| byte.is_ascii_digit()), "which entry: {said}");
        std::fs::write(&segment, &sound).expect("repair");
    }
    shop.verify();
}

#[test]
fn a_damaged_journal_is_never_sold_on_in_silence() {
    let shop = lived_in();
    let segment = shop.segments().pop().expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("its bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x01;
    std::fs::write(&segment, &bytes).expect("damage");
    std::fs::remove_file(shop.dir().join("store.redb")).expect("a store");
    let played = shop.play("department 1 100\ntender_cash");
    assert!(matches!(played.exit, 1 | 3), "{}{}", played.stdout, played.stderr);
    assert!(!played.stdout.contains("\"receipt\":\"01-"), "{}", played.stdout);
}

/// Cash counted, a receipt undone or a Z signed over a chain that does not hold would only look true.
#[test]
fn a_damaged_journal_gives_no_figure_and_takes_no_money() {
    let shop = lived_in();
    let before = shop.export("sales");
    let segment = shop.segments().pop().expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("its bytes");
    let early = bytes.len() / 9;
    bytes[early] ^= 0x01;
    std::fs::write(&segment, &bytes).expect("damage");
    for act in [
        "tender_cash",
        "x_report",
        "z_report 0 0",
        "void_receipt 01-000003 打ち間違い",
        "correct_tender 01-000003 credit",
        "formal_receipt 山田",
        "paid_in 100 釣銭",
        "pickup 100",
        "report sales",
    ] {
        let played = shop.play(act);
        let error = &played.answers.last().expect("an answer")["error"];
        assert_eq!(error["code"], "damaged", "{act}: {}{}", played.stdout, played.stderr);
        let said = error["message"].as_str().expect("words");
        assert!(said.contains("regi verify"), "{act}: {said}");
    }
    assert_eq!(shop.export("sales"), before, "and the sales stand as they were");
}

/// The year's sales before a restore stand in a journal of their own.
#[test]
fn damage_before_a_restore_takes_no_money_either() {
    let shop = lived_in();
    let file = shop.dir().with_file_name("backup.regi");
    shop.told(&["backup", file.to_str().unwrap()]);
    shop.told(&["restore", "--yes", file.to_str().unwrap()]);
    shop.sell("department 1 300\ntender_cash");
    let told = shop.told(&["export", "journal"]);
    let epochs = crate::support::rows(&told).into_iter().map(|row| row["epoch"].clone());
    let epochs: std::collections::BTreeSet<_> = epochs.collect();
    assert_eq!(epochs.len(), 2, "what was done before the restore is told, too: {epochs:?}");
    let acts = shop.told(&["report", "acts"]);
    assert!(acts.contains("切手"), "and who did it: {acts}");
    let former = shop.segments().into_iter().find(|path| !path.to_string_lossy().contains("01b"));
    let former = former.expect("the journal before");
    let sound = std::fs::read(&former).expect("its bytes");
    for part in [2, 7] {
        let mut bytes = sound.clone();
        let place = bytes.len() * part / 9;
        bytes[place] ^= 0x01;
        std::fs::write(&former, &bytes).expect("damage");
        let played = shop.play("department 1 100\ntender_cash");
        let error = &played.answers.last().expect("an answer")["error"];
        assert_eq!(error["code"], "damaged", "{}{}", played.stdout, played.stderr);
    }
    std::fs::write(&former, &sound).expect("repair");
    shop.sell("tender_cash");
}

#[test]
fn a_backup_restores_the_whole_shop_elsewhere() {
    let shop = lived_in();
    let before = told_of(&shop);
    let file = shop.file("backup.regi", b"");
    std::fs::remove_file(&file).expect("only its name is wanted");
    shop.told(&["backup", file.to_str().unwrap()]);
    let elsewhere = Shop::nowhere();
    elsewhere.told(&["restore", file.to_str().unwrap()]);
    elsewhere.verify();
    assert_eq!(told_of(&elsewhere), before);
    let sold = elsewhere.sell("department 1 300\ntender_cash");
    let number = sold["receipt"].as_str().expect("a receipt");
    assert!(
        ["01-000004", "01b-000001"].contains(&number),
        "the next number, or the first of a new epoch: {number}"
    );
    elsewhere.verify();
}

#[test]
fn a_shop_that_is_there_is_replaced_only_by_a_yes_and_a_rebuild_counts_all_there_is() {
    let shop = lived_in();
    let before = told_of(&shop);
    let file = shop.file("backup.regi", b"");
    let file = file.to_str().unwrap();
    shop.told(&["backup", file]);
    refused(&shop, &["restore", file], 1, ["--yes", "--yes"]);
    assert_eq!(told_of(&shop), before, "nothing was changed");
    let entries = |said: &str| -> u64 {
        let digits: String =
            said.rsplit('(').next().unwrap().chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("a count")
    };
    let restored = text(&shop.regi(&["restore", file, "--yes"]).stdout);
    let rebuilt = text(&shop.regi(&["rebuild"]).stdout);
    assert_eq!(entries(&rebuilt), entries(&restored) + 1, "{restored}{rebuilt}");
    assert_eq!(told_of(&shop), before);
    shop.verify();
}

#[test]
fn each_z_leaves_a_backup_that_was_brought_back_on_trial() {
    let shop = lived_in();
    let played = shop.play("void_sale\nz_report 0 0");
    assert_eq!((played.exit, played.stderr.as_str()), (0, ""), "nothing to complain of");
    let folder = shop.dir().join("backup");
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).expect("backups").map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["01-Z0001.regi", "01-Z0002.regi"],
        "no trial is left, with its copies of the keys"
    );
    let elsewhere = Shop::nowhere();
    elsewhere.told(&["restore", folder.join("01-Z0002.regi").to_str().unwrap()]);
    elsewhere.verify();
}

#[test]
fn a_trial_that_cannot_be_made_is_said() {
    let shop = lived_in();
    let folder = shop.dir().join("backup");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("trial"), "a file where a folder belongs").expect("a file");
    let played = shop.play("void_sale\nz_report 0 0");
    assert_eq!(played.exit, 0, "the Z is closed all the same");
    assert!(played.stderr.contains("01-Z0002"), "{}", played.stderr);
    assert!(folder.join("01-Z0002.regi").exists());
}

/// The PC is gone; the stick with the second copy is not.
#[test]
fn a_second_copy_gives_the_whole_shop_back_on_a_new_pc() {
    let shop = lived_in();
    let copy = shop.dir().with_file_name("stick");
    let settings = shop.dir().join("shop.toml");
    let written = std::fs::read_to_string(&settings).expect("settings");
    let folder = format!("folder = \"{}\"", copy.display());
    std::fs::write(&settings, written.replace("folder = \"\"", &folder)).expect("settings");
    shop.sell("void_sale\nnew_member name=鈴木 kana=スズキ phone=0312345678");
    let before = told_of(&shop);
    let elsewhere = Shop::nowhere();
    let from_copy = format!("--from-copy={}", copy.display());
    elsewhere.told(&["rebuild", &from_copy]);
    assert_eq!(told_of(&elsewhere), before, "with the names and phones of members");
    elsewhere.verify();
}

#[test]
fn a_damaged_backup_restores_nothing() {
    let shop = lived_in();
    let file = shop.file("backup.regi", b"");
    std::fs::remove_file(&file).expect("only its name is wanted");
    shop.told(&["backup", file.to_str().unwrap()]);
    let mut bytes = std::fs::read(&file).expect("the backup");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&file, &bytes).expect("damage");
    let elsewhere = Shop::nowhere();
    let done = elsewhere.regi(&["restore", file.to_str().unwrap()]);
    assert!(matches!(done.status.code(), Some(1 | 3)), "{}", text(&done.stderr));
    assert!(!elsewhere.dir().join("journal").exists(), "all of it or none");
}

#[test]
fn a_lost_store_is_made_again_from_the_journal() {
    let shop = lived_in();
    let before = told_of(&shop);
    std::fs::remove_file(shop.dir().join("store.redb")).expect("a store");
    assert_eq!(told_of(&shop), before, "at the next start by itself");
    shop.told(&["rebuild"]);
    assert_eq!(told_of(&shop), before);
    let open = shop.sell("subtotal");
    assert_eq!(open["sale"]["total"], 50, "the open sale is still there");
    shop.verify();
}

#[test]
fn a_store_of_rubbish_is_made_again_from_the_journal() {
    let shop = lived_in();
    let before = told_of(&shop);
    for rubbish in [&b""[..], b"redb\x1a\n\xa9\r\n", &[0xFF; 8192]] {
        std::fs::write(shop.dir().join("store.redb"), rubbish).expect("rubbish");
        assert_eq!(told_of(&shop), before);
        shop.verify();
    }
}

#[test]
fn a_z_leaves_a_backup() {
    let shop = lived_in();
    let made = std::fs::read_dir(shop.dir().join("backup")).map(Iterator::count).unwrap_or(0);
    assert!(made >= 1, "backup/ after a Z");
}

#[test]
fn a_half_written_last_entry_is_cut_off_and_the_rest_is_kept() {
    let shop = lived_in();
    let rows = shop.export("sales").len();
    let segment = shop.segments().pop().expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("its bytes");
    bytes.extend([0x00, 0x00, 0x01, 0x80, 0xDE, 0xAD]);
    std::fs::write(&segment, &bytes).expect("a torn tail");
    let sold = shop.sell("void_sale\ndepartment 1 300\ntender_cash");
    assert_eq!(sold["receipt"], "01-000004");
    assert_eq!(shop.export("sales").len(), rows + 1);
    shop.verify();
}

#[test]
fn a_second_register_on_the_same_shop_is_refused_at_once() {
    let shop = lived_in();
    let mut first = shop
        .command(&["run", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the first register");
    let mut stdin = first.stdin.take().expect("its script");
    let mut answers = BufReader::new(first.stdout.take().expect("its answers"));
    stdin.write_all(b"subtotal\n").expect("a command");
    let mut answer = String::new();
    answers.read_line(&mut answer).expect("an answer");
    assert!(answer.contains("\"ok\":true"), "{answer}");

    let begun = std::time::Instant::now();
    let second = shop.play("department 1 100\ntender_cash");
    assert_eq!(second.exit, 4, "{}{}", second.stdout, second.stderr);
    assert!(begun.elapsed().as_secs() < 3, "at once");
    assert!(!second.stderr.trim().is_empty() || !second.answers.is_empty(), "with the reason");

    drop(stdin);
    assert!(first.wait().expect("the first ends").success());
    assert_eq!(shop.sell("tender_cash")["sale"]["total"], 50, "and nothing of the second came in");
    shop.verify();
}

#[test]
fn a_reader_that_has_seen_enough_is_no_complaint() {
    let shop = Shop::new("");
    shop.sell("department 1 100\ntender_cash");
    let asked: &[&[&str]] = &[
        &["completions", "bash"],
        &["man"],
        &["report", "sales"],
        &["verify"],
        &["export", "shop"],
        &["export", "sales", "--encoding", "cp932"],
        &["export", "journal"],
    ];
    for words in asked {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let done = shop.command(words).stdout(writer).output().expect("regi");
        assert_eq!((done.status.code(), text(&done.stderr).as_str()), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn a_disk_without_room_for_an_answer_is_said() {
    let shop = Shop::new("");
    for words in [&["export", "shop"][..], &["export", "journal"], &["report", "sales"], &["man"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
        let done = shop.command(words).stdout(full).output().expect("regi");
        let said = text(&done.stderr);
        assert_eq!((done.status.code(), said.lines().count()), (Some(1), 1), "{words:?}: {said}");
    }
}

/// What these words come to, in both languages: the exit code, and the one sentence with it.
#[track_caller]
fn refused(shop: &Shop, words: &[&str], exit: i32, parts: [&str; 2]) {
    for (language, part) in [("en", parts[0]), ("ja", parts[1])] {
        let done = shop.regi(&[&["--lang", language], words].concat());
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(exit), "{words:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{words:?}: {said}");
        assert!(said.contains(part) && !said.contains("os error"), "{words:?}: {said}");
        assert!(done.stdout.is_empty(), "{words:?}: {}", text(&done.stdout));
    }
}

#[test]
fn a_file_of_the_wrong_kind_is_told_apart_in_both_languages() {
    let shop = Shop::new("");
    let (dir, inside) = (shop.file("x", b"").with_file_name("folder"), shop.file("plain", b"x"));
    std::fs::create_dir(&dir).expect("a folder");
    let pipe = dir.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let cp932 = shop.file("cp932.toml", &crate::support::cp932("[shop]\nname = \"みどり\"\n"));
    let text_of = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (folder, pipe, cp932) = (text_of(&dir), text_of(&pipe), text_of(&cp932));
    let below = format!("{}/x.regi", text_of(&inside));
    for what in ["items", "shop"] {
        refused(&shop, &["import", what, &folder], 1, ["is a folder", "はフォルダです"]);
        refused(&shop, &["import", what, &pipe], 1, ["no ordinary file", "普通のファイル"]);
    }
    refused(&shop, &["import", "shop", &cp932], 1, ["Save it as UTF-8", "UTF-8 で保存"]);
    refused(&shop, &["backup", &folder], 1, ["is a folder", "はフォルダです"]);
    refused(&shop, &["backup", &pipe], 1, ["no ordinary file", "普通のファイル"]);
    refused(&shop, &["backup", &below], 1, ["is a file and no folder", "フォルダでないもの"]);
    refused(&shop, &["restore", &folder], 1, ["is a folder", "はフォルダです"]);
    refused(&shop, &["restore", &cp932], 1, ["no backup of regi", "regi のバックアップではない"]);
    assert!(std::fs::metadata(&pipe).is_ok_and(|about| !about.is_file()), "it was left as it was");

    std::fs::write(shop.dir().join("shop.toml"), [b"lane = 1 # ", &[0x82, 0xa0][..]].concat())
        .expect("written");
    for words in [&["config", "check"][..], &["report", "sales"], &["export", "items"]] {
        refused(&shop, words, 1, ["shop.toml is not text", "shop.toml は UTF-8"]);
    }
}

#[test]
fn what_is_not_there_is_said_and_nothing_is_made() {
    let nowhere = Shop::nowhere();
    let none = nowhere.file("none", b"").with_file_name("copy");
    let from_copy = format!("--from-copy={}", none.display());
    refused(&nowhere, &["rebuild", &from_copy], 1, ["no second copy", "写しが見つかりません"]);
    refused(&nowhere, &["config", "check"], 1, ["There is no shop in", "お店がありません"]);
    for lane in ["0", "100"] {
        let words = ["--lane", lane, "init"];
        refused(&nowhere, &words, 2, ["--lane", "--lane"]);
    }
    refused(&nowhere, &["init", "--demo", "--settings", "x"], 2, ["--settings", "--settings"]);
    assert!(!nowhere.dir().exists(), "not even a folder");
    // What a register that was cut off at its first step leaves is no shop yet.
    std::fs::create_dir_all(nowhere.dir().join("journal")).expect("made");
    std::fs::write(nowhere.dir().join("journal/lock"), "1").expect("written");
    for words in [&["devices"][..], &["verify"], &["report", "sales"]] {
        refused(&nowhere, words, 1, ["There is no shop in", "お店がありません"]);
    }
}

#[test]
fn a_word_that_is_one_of_a_few_is_answered_with_them() {
    let shop = Shop::new("").with_items("code,name,price\n1,茶,100\n");
    let exports = "shop items members sales lines journal points yayoi freee moneyforward";
    refused(&shop, &["export", "socks"], 2, [exports, exports]);
    refused(&shop, &["report", "sales", "--format", "pdf"], 2, ["text csv json html svg"; 2]);
    refused(&shop, &["export", "items", "--encoding", "latin1"], 2, ["utf8 cp932"; 2]);
    refused(&shop, &["import", "items"], 2, ["<FILE> is missing", "<FILE> がありません"]);
    let reversed = ["--from", "2026-11-23", "--to", "2026-11-22"];
    let said = ["after the last", "終了日より後"];
    refused(&shop, &[&["export", "sales"], &reversed[..]].concat(), 2, said);
    refused(&shop, &[&["report", "sales"], &reversed[..]].concat(), 1, said);
    let date = ["Write the date like 2026-11-22", "日付は 2026-11-22 のように"];
    refused(&shop, &["report", "sales", "--from", "yesterday"], 1, date);
    refused(&shop, &["labels", "shelf", "1", "--copies", "0"], 2, ["--copies", "--copies"]);
    let none = ["no goods in department 9", "部門9に商品がありません"];
    refused(&shop, &["labels", "shelf", "--department", "9"], 1, none);
}

#[test]
fn exit_codes_tell_a_script_what_happened() {
    let shop = Shop::new("");
    for (words, exit) in [
        (vec!["verify"], 0),
        (vec!["config", "check"], 0),
        (vec!["completions", "bash"], 0),
        (vec!["man"], 0),
        (vec!["--help"], 0),
        (vec!["--version"], 0),
        (vec!["sell"], 2),
        (vec!["run"], 2),
        (vec!["run", "--colour", "x"], 2),
        (vec!["export", "socks"], 2),
        (vec!["init"], 1),
        (vec!["import", "items", "/nonexistent/items.csv"], 1),
        (vec!["restore", "/nonexistent/backup"], 1),
        (vec!["report", "no_such_report"], 1),
    ] {
        let done = shop.regi(&words);
        assert_eq!(done.status.code(), Some(exit), "{words:?}: {}", text(&done.stderr));
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(exit == 0 || !said.trim().is_empty(), "{words:?} says why");
    }
    let nowhere = Shop::nowhere();
    let done = nowhere.play("scan 1");
    assert_eq!(done.exit, 1, "no shop there: {}{}", done.stdout, done.stderr);
}

#[test]
fn a_shop_is_never_founded_over_another() {
    let shop = lived_in();
    let before = told_of(&shop);
    let file = shop.file("other.toml", b"[shop]\nname = \"other\"\n");
    let done = shop.regi(&["init", "--settings", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(told_of(&shop), before);
}

#[test]
fn a_copied_folder_is_a_shop() {
    let shop = lived_in();
    let copy = Shop::nowhere();
    copy_folder(&shop.dir(), &copy.dir());
    copy.verify();
    assert_eq!(told_of(&copy), told_of(&shop));
}

#[test]
fn a_paper_receipt_is_held_against_the_journal() {
    let shop = Shop::new("");
    let sold = shop.sell("department 1 108\ntender_cash");
    let head = &sold["entry"]["hash"].as_str().expect("a hash")[..16];
    let wrong = "0123456789abcdef";
    shop.told(&["verify", "--receipt", "01-000001", head]);
    for words in [["01-000001", wrong], ["01-000002", head]] {
        let done = shop.regi(&["verify", "--receipt", words[0], words[1]]);
        assert!(matches!(done.status.code(), Some(1 | 3)), "{words:?}: {}", text(&done.stderr));
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(said.contains(words[0]), "{words:?}: {said}");
        assert_eq!(said.contains("is not in this journal"), words[0] == "01-000002", "{said}");
    }
}

#[test]
fn an_empty_file_has_no_row_to_name() {
    let shop = Shop::new("");
    for what in ["items", "members"] {
        let done = shop.import(what, b"", &["--apply"]);
        let said = text(&done.stdout) + &text(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{what}: {said}");
        assert!(said.contains("empty") && !said.contains('0'), "{what}: {said}");
    }
}
