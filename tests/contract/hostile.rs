//! Hostile input that comes by a script, a file or a scan (`reliability.md` 8; rows by number).

use serde_json::Value;

use crate::paper::{prints, read};
use crate::support::{HANAKO, MEMBERS, Shop, cp932, holds, text};

/// Nothing that a program was told may hold a control character; lines of a paper excepted.
#[track_caller]
fn no_controls(value: &Value) {
    match value {
        Value::String(text) => {
            let bad = text.chars().find(|sign| sign.is_control() && *sign != '\n');
            assert_eq!(bad, None, "{text:?}");
            let hidden = text.chars().find(|sign| matches!(sign, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}'..='\u{200F}'));
            assert_eq!(hidden, None, "{text:?}");
        }
        Value::Array(values) => values.iter().for_each(no_controls),
        Value::Object(fields) => fields.values().for_each(no_controls),
        _ => {}
    }
}

#[test]
fn rows_1_2_6_7_13_14_a_name_with_control_bytes_is_refused_or_washed() {
    let bad_names: [&[u8]; 6] = [
        b"A\x1bp\x00\x19\xfaB",
        b"A\x10\x14\x01\x00\x05B",
        b"A\x1b=\x00B",
        b"A\x1cq\x01\x01\x00\x01\x00B",
        b"A\x1b]52;c;QUFB\x07B",
        b"A\xc2\x9b2JB",
    ];
    for name in bad_names {
        let shop = Shop::new("").with_items("code,name,price\n1,茶,100\n");
        let mut script = b"new_member name=\"".to_vec();
        script.extend(name);
        script.extend(b"\" kana=x\nedit_item 2 price=100 name=\"");
        script.extend(name);
        script.extend(b"\"\nfind_member x\n");
        let played = shop.play_with(&[], &script);
        for answer in &played.answers {
            no_controls(answer);
        }
        assert_eq!(played.answers[0]["ok"], false, "{}", played.stdout);
        assert_eq!(played.answers[1]["ok"], false, "{}", played.stdout);
        assert_eq!(played.last()["members"].as_array().map(Vec::len), Some(0));
        assert_eq!(shop.refuse("scan 2"), "unknown_code");

        let mut file = b"code,name,price\n3,\"".to_vec();
        file.extend(name);
        file.extend(b"\",100\n");
        let done = shop.import("items", &file, &["--apply"]);
        let said = [done.stdout, done.stderr].concat();
        assert!(
            !said.contains(&0x1b) && !said.contains(&0x10) && !said.contains(&0x9b),
            "{said:?}"
        );
        // Refused, or taken without its sting.
        if done.status.code() == Some(0) {
            let sold = shop.sell("scan 3\ntender_cash");
            no_controls(&sold);
            let paper = shop.paper(&sold["printed"][0]);
            assert_eq!(read(&paper).pulses, 0, "the drawer stays shut");
        }
        shop.verify();
    }
}

#[test]
fn row_4_a_footer_cannot_cut_the_paper() {
    let shop = Shop::new("");
    let done =
        shop.import("shop", b"[receipt]\nfooter = [\"thanks\\u001dV\\u0000\"]\n", &["--apply"]);
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", text(&done.stderr));
    let paper = shop.paper(&shop.sell("department 1 100\ntender_cash")["printed"][0]);
    assert_eq!(read(&paper).cuts.len(), 1, "one cut, at the end");
}

#[test]
fn rows_8_and_9_cp932_is_cut_on_character_borders() {
    let shop = Shop::new("");
    let mut file = b"code,name,price\n1,\"".to_vec();
    file.extend(cp932("表ソ能"));
    file.extend(b"\",100\n2,\"");
    file.extend(cp932("あいう"));
    file.extend(b"\x83\",200\n");
    let done = shop.import("items", &file, &["--apply"]);
    let said = text(&done.stdout) + &text(&done.stderr);
    match done.status.code() {
        Some(0) => {
            let open = shop.sell("scan 1\nscan 2\nsubtotal");
            assert_eq!(open["sale"]["lines"][0]["name"], "表ソ能");
            assert_eq!(open["sale"]["total"], 300, "the bytes after it are not swallowed");
        }
        Some(1) => assert!(said.contains('3'), "the row: {said}"),
        other => panic!("{other:?}: {said}"),
    }
    let whole = Shop::new("");
    whole.imported("items", &cp932("code,name,price\n1,表ソ能,100\n"));
    let sold = whole.sell("scan 1\ntender_cash");
    prints(&whole.paper(&sold["printed"][0]), &["表ソ能"]);
}

#[test]
fn row_11_text_that_turns_around_is_set_straight() {
    let name = "\u{a5}\u{202e}001";
    let shop = Shop::new("");
    let played = shop.play(&format!("edit_item 2 price=100 name=\"{name}\""));
    no_controls(played.last());
    assert_eq!(played.last()["ok"], false, "{}", played.stdout);
    let done =
        shop.import("items", format!("code,name,price\n2,{name},100\n").as_bytes(), &["--apply"]);
    if done.status.code() == Some(0) {
        let open = shop.sell("scan 2");
        no_controls(&open);
        assert_eq!(open["sale"]["total"], 100);
    }
}

#[test]
fn row_16_the_name_of_a_file_cannot_speak_to_the_terminal() {
    let shop = Shop::new("");
    for name in ["\x1b]0;PWN\x07\n.csv", "a\u{9b}2J.csv"] {
        let missing = shop.regi(&["import", "items", name, "--apply"]);
        assert_eq!(missing.status.code(), Some(1));
        let file = shop.file(name, b"code,name,price\n1,x,y\n");
        let refused = shop.regi(&["import", "items", file.to_str().unwrap(), "--apply"]);
        for done in [missing, refused] {
            let said = text(&done.stdout) + &text(&done.stderr);
            let bad = said.chars().find(|sign| sign.is_control() && *sign != '\n');
            assert_eq!(bad, None, "{said:?}");
            assert!(!said.contains("\n.csv"), "a second row: {said:?}");
        }
    }
}

#[test]
fn row_20_no_amount_can_overflow() {
    let shop = Shop::new("");
    shop.sell("department 2 100");
    for amount in
        ["9223372036854775808", "999999999", "18446744073709551616", "99999999999999999999999999"]
    {
        for command in [
            "tender_cash",
            "department 2",
            "price_override",
            "line_discount",
            "paid_in",
            "loan",
            "set_price 1",
        ] {
            let line = format!("{command} {amount}");
            let line = if command == "paid_in" { format!("{line} x") } else { line };
            assert_eq!(shop.refuse(&line), "bad_argument", "{line}");
        }
        assert_eq!(shop.sell("subtotal")["sale"]["total"], 100);
    }
    let many = shop.play(&"department 2 99999999\nquantity 99999\n".repeat(60));
    for answer in &many.answers {
        no_controls(answer);
        let total = answer["sale"]["total"].as_i64().unwrap_or(0);
        assert!(total >= 0, "{answer}");
    }
    shop.sell("void_sale");
    shop.verify();
}

#[test]
fn row_22_a_mistyped_fortune_is_asked_again() {
    let shop = Shop::new("");
    assert_eq!(shop.refuse("department 2 1\ntender_cash 999999999999"), "bad_argument");
    assert_eq!(shop.play("tender_cash 99999999").answers[0]["ok"], false);
    assert_eq!(shop.sell("subtotal")["sale"]["due"], 1);
}

#[test]
fn row_25_and_32_what_is_no_code_is_dropped() {
    let shop = Shop::new("").with_members(MEMBERS);
    shop.sell("department 2 100");
    let mut scans: Vec<Vec<u8>> = vec![
        [b"scan ".to_vec(), vec![b'9'; 4096]].concat(),
        [b"scan ".to_vec(), vec![0xFF; 2953]].concat(),
        b"scan MEMBER:other-shop:2900000000018:sig".to_vec(),
        b"scan https://evil.example/m?c=2900000000018".to_vec(),
        b"scan \x03".to_vec(),
        b"scan 490\x001234567894".to_vec(),
    ];
    for scan in &mut scans {
        scan.push(b'\n');
        let played = shop.play_with(&[], scan);
        assert_eq!(played.answers[0]["ok"], false, "{}", played.stdout);
        no_controls(&played.answers[0]);
        let message = played.answers[0]["error"]["message"].as_str().unwrap();
        assert!(message.chars().count() < 300, "one clear sentence: {message}");
        let open = shop.sell("subtotal");
        assert_eq!(open["sale"]["total"], 100);
        assert!(open["sale"]["member"].is_null(), "no partial match");
    }
    shop.verify();
}

#[test]
fn row_27_a_misread_code_is_no_reason_to_sell_by_hand() {
    let shop = Shop::new("");
    let played = shop.play("scan 4901234567890");
    assert_eq!(played.codes(), ["check_digit"]);
    let message = played.last()["error"]["message"].as_str().unwrap();
    assert!(message.contains('4'), "{message}");
}

#[test]
fn row_34_a_file_that_never_ends_its_field_is_stopped() {
    let shop = Shop::new("");
    let mut file = b"code,name,price\n1,\"".to_vec();
    file.extend(vec![b'A'; 8 << 20]);
    let done = shop.import("items", &file, &["--apply"]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(done.stderr.len() + done.stdout.len() < 4096, "one clear sentence");
}

#[test]
fn row_35_no_cell_runs_as_a_formula() {
    let members = format!(
        "code,name,note\n{HANAKO},=cmd|' /C calc'!A0,+1\n2900000000025,＝1,@SUM(1)\n2900000000032,-1,x\n"
    );
    let shop = Shop::new("").with_members(&members);
    shop.sell("edit_item 5 price=100 name=\"=1+1\"");
    for encoding in ["utf8", "cp932"] {
        for what in ["members", "items"] {
            let done = shop.regi(&["export", what, "--encoding", encoding]);
            assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
            let (csv, ..) = if encoding == "cp932" {
                encoding_rs::SHIFT_JIS.decode(&done.stdout)
            } else {
                encoding_rs::UTF_8.decode(&done.stdout)
            };
            for row in crate::support::rows(&csv) {
                for field in ["name", "note"] {
                    let cell = row.get(field).map(String::as_str).unwrap_or("");
                    assert!(!cell.starts_with(['=', '+', '-', '@', '＝', '\t']), "{what}: {cell}");
                }
            }
        }
    }
    let again = Shop::new("").with_members(&shop.told(&["export", "members"]));
    let names: Vec<_> = again.export("members").iter().map(|row| row["name"].clone()).collect();
    let before: Vec<_> = shop.export("members").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, before, "the guard comes off on the way in");
}

#[test]
fn payment_cards_never_rest_in_the_shop() {
    let shop = Shop::new("").with_members(MEMBERS);
    for line in [
        "scan 4111111111111111",
        "department 1 100\nnote \"card 4111 1111 1111 1111\"",
        &format!("member {HANAKO}\nedit_member note=4111-1111-1111-1111"),
    ] {
        let played = shop.play(line);
        assert_eq!(played.last()["ok"], false, "{line}");
        assert!(
            !played.last()["error"]["message"].as_str().unwrap().contains("4111"),
            "{}",
            played.stdout
        );
    }
    for segment in shop.segments() {
        assert!(!holds(&std::fs::read(segment).unwrap(), b"4111"), "in the journal");
    }
}
