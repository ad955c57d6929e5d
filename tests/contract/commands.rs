//! The command language and `regi run` as other programs use them (`DESIGN.md` 5).

use crate::support::{Shop, lines, text};

const GOODS: &str = "\
code,name,price,tax_class,unit
4901234567894,牛乳 1L,248,reduced,each
15,パン,120,reduced,each
16,鶏もも,198,reduced,100g
";

fn shop() -> Shop {
    Shop::new("").with_items(GOODS)
}

#[test]
fn an_answer_has_the_shape_other_programs_read() {
    let sold = shop().sell("scan 4901234567894\nquantity 2\ntender_cash 2000");
    let sale = &sold["sale"];
    assert_eq!(sold["command"], "tender_cash 2000");
    assert_eq!(sold["ok"], true);
    assert!(sold["error"].is_null());
    let line = &sale["lines"][0];
    for (field, want) in [
        ("line", serde_json::json!(1)),
        ("code", "4901234567894".into()),
        ("name", "牛乳 1L".into()),
        ("quantity", "2".into()),
        ("unit_price", 248.into()),
        ("discount", 0.into()),
        ("amount", 496.into()),
        ("tax_class", "reduced".into()),
    ] {
        assert_eq!(line[field], want, "{field}");
    }
    for (field, want) in [
        ("subtotal", 496),
        ("discount", 0),
        ("total", 496),
        ("paid", 2000),
        ("due", 0),
        ("change", 1504),
    ] {
        assert_eq!(sale[field], want, "{field}");
    }
    let tax = &sale["taxes"][0];
    assert_eq!((&tax["class"], &tax["rate"]), (&"reduced".into(), &"8".into()));
    assert_eq!(
        (&tax["mode"], &tax["base"], &tax["tax"]),
        (&"included".into(), &496.into(), &36.into())
    );
    assert_eq!(sale["tenders"], serde_json::json!([{"kind": "cash", "amount": 2000}]));
    assert_eq!(sold["receipt"], "01-000001");
    assert_eq!(sold["entry"]["lane"], 1);
    let hash = sold["entry"]["hash"].as_str().expect("a hash");
    assert!(hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
    assert_eq!(sold["printed"], serde_json::json!(["file:receipt-01-000001.bin"]));
}

#[test]
fn entries_follow_one_another_without_a_gap() {
    let shop = shop();
    let first = shop.sell("scan 15\ntender_cash");
    let second = shop.sell("scan 15\ntender_cash");
    let seq = |answer: &serde_json::Value| answer["entry"]["seq"].as_u64().expect("a seq");
    assert!(seq(&second) > seq(&first));
    let rows = shop.export("journal");
    let numbers: Vec<u64> = rows.iter().map(|row| row["seq"].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(numbers.contains(&seq(&second)));
}

#[test]
fn a_script_stops_at_the_first_refusal_unless_told_to_go_on() {
    let shop = shop();
    let file =
        shop.file("script.txt", "# morning\nscan 15\n\nscan 999\nscan 15 # again\n".as_bytes());
    let file = file.to_str().unwrap();
    let stopped = shop.regi(&["run", "--json", file]);
    assert_eq!(stopped.status.code(), Some(1));
    assert_eq!(text(&stopped.stdout).lines().count(), 2, "{}", text(&stopped.stdout));
    shop.sell("void_sale");
    let whole = shop.regi(&["run", "--json", "--keep-going", file]);
    assert_eq!(whole.status.code(), Some(1), "something was refused");
    let stdout = text(&whole.stdout);
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(lines(&last, "quantity"), ["2"]);
}

#[test]
fn a_script_saved_by_a_windows_editor_plays() {
    let shop = Shop::new("");
    let played = shop.play("\u{FEFF}department 1 100\r\n\r\ntender_cash\r\n");
    assert_eq!((played.exit, played.codes()), (0, vec!["", ""]), "{}", played.stdout);
}

#[test]
fn a_file_that_cannot_be_read_is_said_in_the_language_of_the_shop() {
    let shop = Shop::new("");
    let folder = shop.dir();
    let folder = folder.to_str().expect("a path");
    for (file, word) in [("/nonexistent/script", "ありません"), (folder, "フォルダ")] {
        let said = shop.regi(&["--lang", "ja", "run", file]);
        let said = text(&said.stderr);
        assert!(said.contains(word) && !said.contains("os error"), "{said}");
    }
}

#[test]
fn unknown_names_and_bad_arguments_change_nothing() {
    let shop = shop();
    shop.sell("scan 15");
    for (line, want) in [
        ("sell 15", "unknown_command"),
        ("Scan 15", "unknown_command"),
        ("scan", "bad_argument"),
        ("quantity", "bad_argument"),
        ("quantity 0", "bad_argument"),
        ("quantity -1", "bad_argument"),
        ("quantity 1e3", "bad_argument"),
        ("tender_cash 1,000", "bad_argument"),
        ("tender_cash ¥100", "bad_argument"),
        ("tender_cash 0", "bad_argument"),
        ("tender_cash 1 2", "bad_argument"),
        ("line_discount 101%", "bad_argument"),
        ("line_discount 0", "excluded"),
        ("sale_discount 0%", "excluded"),
        ("department 9 100", "unknown_code"),
        ("department 1", "bad_argument"),
        ("note \"open", "bad_argument"),
        ("subtotal now", "bad_argument"),
        ("select_line 2", "line"),
        ("void_line 0", "line"),
        ("line_tax food", "bad_argument"),
    ] {
        assert_eq!(shop.refuse(line), want, "{line}");
        let open = shop.sell("subtotal");
        assert_eq!(open["sale"]["total"], 120, "{line}");
        assert_eq!(lines(&open, "quantity"), ["1"], "{line}");
    }
}

/// Each line is a run of its own, so what was taken off is off after a start, too.
#[test]
fn a_discount_is_taken_off_again() {
    let shop = shop();
    shop.sell("scan 15");
    for (line, total) in [
        ("line_discount 20", 100),
        ("line_discount 0", 120),
        ("sale_discount 10%", 108),
        ("sale_discount 8", 100),
        ("line_discount 20", 82),
        ("sale_discount 0", 100),
        ("line_discount 0%", 120),
    ] {
        shop.sell(line);
        assert_eq!(shop.sell("subtotal")["sale"]["total"], total, "{line}");
    }
    assert_eq!(shop.sell("tender_cash")["sale"]["total"], 120);
    shop.verify();
}

#[test]
fn quantity_changes_the_item_just_rung_or_waits_for_the_next() {
    for (script, want) in [
        ("scan 15\nquantity 3", vec!["3"]),
        ("quantity 3\nscan 15", vec!["3"]),
        ("scan 15\ntimes 2\nscan 4901234567894", vec!["1", "2"]),
        ("scan 15\nquantity 3\nquantity 2\nscan 4901234567894", vec!["3", "2"]),
        ("scan 15\nselect_line 1\nquantity 5", vec!["5"]),
        ("scan 15\nrepeat\nrepeat", vec!["3"]),
        ("times 2.5\nscan 16", vec!["2.5"]),
    ] {
        let answer = shop().sell(script);
        assert_eq!(lines(&answer, "quantity"), want, "{script}");
    }
    let weighed = shop().sell("times 2.5\nscan 16");
    assert_eq!(lines(&weighed, "amount"), [495]);
}

#[test]
fn prices_are_changed_on_the_line_and_on_file() {
    let shop = shop();
    let open = shop.sell("scan 15\nprice_override 100\nscan 4901234567894\nline_discount 48");
    assert_eq!(lines(&open, "unit_price"), [100, 248]);
    assert_eq!(lines(&open, "discount"), [0, 48]);
    assert_eq!(open["sale"]["subtotal"], 300);
    shop.sell(
        "void_sale\nset_price 15 130\nedit_item 77 name=\"柿 特選\" price=398 tax_class=reduced",
    );
    let new = shop.sell("scan 15\nscan 77\nsubtotal");
    assert_eq!(new["sale"]["total"], 528);
    let found = shop.sell("find_item 柿");
    assert_eq!(found["items"][0]["name"], "柿 特選");
    assert_eq!(found["items"][0]["price"], 398);
    shop.verify();
}

#[test]
fn items_are_found_by_name_kana_and_code() {
    let shop = Shop::new("").with_items(
        "code,name,kana,price\n4901234567894,牛乳 1L,ギュウニュウ,248\n15,食パン,ショクパン,120\n",
    );
    for said in ["牛", "ギュウ", "ぎゅう", "gyuu", "49012"] {
        let answer = shop.sell(&format!("find_item {said}"));
        assert_eq!(answer["items"][0]["name"], "牛乳 1L", "{said}");
        assert_eq!(answer["items"].as_array().unwrap().len(), 1, "{said}");
    }
    assert_eq!(shop.sell("find_item 羊")["items"].as_array().map(Vec::len), Some(0));
}

#[test]
fn help_names_every_command() {
    let shop = shop();
    let played = shop.play("help\nhelp tender_cash\nkeys");
    assert_eq!(played.codes(), ["", "", ""], "{}", played.stdout);
    let help = played.answers[0].to_string();
    for command in [
        "sign_in",
        "scan",
        "department",
        "quantity",
        "times",
        "price_override",
        "sale_discount",
        "eat_in",
        "suspend",
        "resume",
        "member",
        "find_member",
        "new_member",
        "use_points",
        "late_points",
        "tender_cash",
        "tender_credit",
        "tender_voucher",
        "reprint",
        "formal_receipt",
        "void_receipt",
        "return",
        "exchange",
        "no_sale",
        "paid_in",
        "count",
        "z_report",
        "training_on",
        "confirm",
        "journal",
    ] {
        assert!(help.contains(command), "{command}: {help}");
    }
    assert_eq!(shop.refuse("help sell"), "unknown_command");
}

#[test]
fn the_journal_is_searched_by_what_staff_remember() {
    let shop = shop();
    shop.sell("scan 15\ntender_cash\nscan 4901234567894\ntender_credit\nno_sale 両替");
    for (query, want) in
        [("01-000002", "248"), ("248", "01-000002"), ("4901234567894", "01-000002")]
    {
        let answer = shop.sell(&format!("journal {query}"));
        let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("rows: {answer}"));
        assert!(rows.iter().any(|row| row.to_string().contains(want)), "{query}: {answer}");
        assert!(rows.iter().all(|row| !row.to_string().contains("01-000001")), "{query}: {answer}");
    }
    let all = shop.sell("journal");
    assert!(all["rows"].as_array().is_some_and(|rows| rows.len() >= 2), "{all}");
}

/// `DESIGN.md` 5: fields are absent when empty.
#[test]
fn what_a_sale_in_the_journal_does_not_have_is_not_there() {
    let shop = shop().with_members(crate::support::MEMBERS);
    shop.sell("scan 15\ntender_cash\nmember 2900000000018\nscan 15\ntender_cash");
    let found = shop.sell("journal");
    assert!(!found.to_string().contains("null"), "{found}");
    let rows = found["rows"].as_array().unwrap_or_else(|| panic!("rows: {found}"));
    let named: Vec<_> = rows.iter().map(|row| row.get("member").is_some()).collect();
    assert_eq!(named, [true, false], "{found}");
}

/// `japan.md` 2.2: by date, amount, number, member, staff, item and tender, and by any two of them.
#[test]
fn any_two_things_that_are_remembered_find_the_sale() {
    let staff = "[[staff]]\nnumber = 1\nname = \"A\"\nlevel = 7\n\
                 [[staff]]\nnumber = 2\nname = \"B\"\nlevel = 7\n";
    let shop = Shop::new(staff).with_items(GOODS).with_members(crate::support::MEMBERS);
    let day = |day: u32| format!("2026-11-{day}T10:23:00+09:00");
    // Each sale shares some of its marks with the one that is looked for, and none all of them.
    shop.sell_at(&day(20), "sign_in 1\nscan 15\nmember 2900000000025\ntender_cash\nz_report");
    shop.sell_at(&day(21), "sign_in 2\nscan 4901234567894\ntender_cash\nz_report");
    let meant = "sign_in 2\nscan 15\nmember 2900000000018\ntender_credit\nz_report";
    shop.sell_at(&day(22), meant);
    shop.sell_at(&day(23), "sign_in 1\nscan 4901234567894\nmember 2900000000018\ntender_credit");
    let marks = [
        ("11-22", vec![3]),
        ("2026-11-21..2026-11-22", vec![3, 2]),
        ("120", vec![3, 1]),
        ("amount=100..200", vec![3, 1]),
        ("01-000003", vec![3]),
        ("member=2900000000018", vec![4, 3]),
        ("staff=2", vec![3, 2]),
        ("item=15", vec![3, 1]),
        ("tender=credit", vec![4, 3]),
    ];
    let found = |query: &str| -> Vec<u64> {
        let answer = shop.sell_at(&day(23), &format!("sign_in 1\njournal {query}"));
        let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("rows: {answer}"));
        let number =
            |row: &serde_json::Value| row["receipt"].as_str().unwrap()[3..].parse().unwrap();
        rows.iter().map(number).collect()
    };
    // A member is known by name, not by what is on the card.
    assert_eq!(found("member=山田"), [4, 3]);
    assert_eq!(found("member=yamada"), [4, 3]);
    let refused = |query: &str| shop.refuse_at(&day(23), &format!("sign_in 1\njournal {query}"));
    assert_eq!(refused("member=誰か"), "no_member");
    for (at, (mark, want)) in marks.iter().enumerate() {
        assert_eq!(found(mark), *want, "{mark}");
        for (other, also) in &marks[at + 1..] {
            let both: Vec<u64> = want.iter().copied().filter(|sale| also.contains(sale)).collect();
            let dates = (mark.starts_with("11-") && other.starts_with("2026"))
                || (*mark == "120" && other.starts_with("amount"));
            if !dates {
                assert_eq!(found(&format!("{mark} {other}")), both, "{mark} {other}");
            }
        }
    }
}

#[test]
fn without_json_a_person_can_read_the_answers() {
    let shop = shop();
    let file = shop.file("script.txt", b"scan 15\ntender_cash 200\nscan 999\n");
    let done = shop.regi(&["run", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1));
    let said = text(&done.stdout);
    assert!(said.contains("120") && said.contains("80"), "total and change: {said}");
    assert!(!said.contains('{'), "{said}");
}

#[test]
fn another_lane_has_its_own_numbers() {
    let nowhere = Shop::nowhere();
    let settings = nowhere.file("settings.toml", crate::support::SHOP.as_bytes());
    nowhere.told(&["--lane", "2", "init", "--settings", settings.to_str().unwrap()]);
    let sold = nowhere.sell("department 1 100\ntender_cash");
    assert_eq!(sold["receipt"], "02-000001");
    assert_eq!(sold["entry"]["lane"], 2);
    nowhere.verify();
    for words in [&["report", "sales"][..], &["verify"], &["export", "items"], &["rebuild"]] {
        let wrong = nowhere.regi(&[&["--lane", "1"], words].concat());
        let said = text(&wrong.stderr);
        assert_eq!(wrong.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains("lane 2") && said.contains("--lane"), "{words:?}: {said}");
    }
}

#[test]
fn notes_and_kinds_of_customers_go_with_the_sale() {
    let sold = shop().sell("scan 15\nnote \"配達 17:00 #2\"\ncustomer_kind F30\ntender_cash");
    assert_eq!(sold["sale"]["note"], "配達 17:00 #2");
    assert_eq!(sold["sale"]["customer_kind"], "F30");
}

#[test]
fn goods_are_found_in_the_journal_by_a_part_of_their_name_and_no_nonsense_is_searched_for() {
    let shop = Shop::new("").with_items("code,name,price\n101,牛乳 1L,248\n102,食パン,178\n");
    shop.sell("scan 101\ntender_cash");
    shop.sell("scan 102\ntender_cash");
    for (query, want) in [
        ("item=101", vec!["01-000001"]),
        ("item=牛乳", vec!["01-000001"]),
        ("item=パン", vec!["01-000002"]),
        ("item=豆腐", vec![]),
    ] {
        let answer = shop.sell(&format!("journal {query}"));
        let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found: Vec<_> = rows.iter().map(|row| row["receipt"].as_str().unwrap()).collect();
        assert_eq!(found, want, "{query}");
    }
    for (query, says) in [("13-45", "no day 13-45"), ("2000..1000", "no range")] {
        let played = shop.play(&format!("journal {query}"));
        assert_eq!(played.codes(), ["bad_argument"]);
        let message = played.last()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(says), "{message}");
    }
}
