//! Files in and out: items, members, settings, sales (`DESIGN.md` 12).

use crate::support::{HANAKO, MEMBERS, SHOP, Shop, cp932, rows, text};

const GOODS: &str = "\
code,name,kana,receipt_name,department,price,price_mode,tax_class,unit,flags,case_of,case_code,cost,stock,supplier
4912345678904,緑茶 〜静岡〜,リョクチャ,緑茶,1,120,included,reduced,each,,12,14912345678901,80,24,茶問屋
0237009,さしみ,,,1,0,,,each,weighed,,,,,
77,\"A, \"\"B\"\" & C\",,,2,99.5,excluded,,100g,no_discount no_points,,,,-3,
";

#[test]
fn items_come_back_from_an_export_as_they_went_in() {
    let shop = Shop::new("").with_items(GOODS);
    let exported = shop.told(&["export", "items"]);
    let (mut went_in, mut came_out) = (rows(GOODS), rows(&exported));
    let by_code = |row: &std::collections::BTreeMap<String, String>| row["code"].clone();
    went_in.sort_by_key(by_code);
    came_out.sort_by_key(by_code);
    assert_eq!(came_out.len(), went_in.len());
    for (out, given) in came_out.iter().zip(&went_in) {
        for (field, value) in given {
            let same = out[field] == *value
                || (value.is_empty() && ["0", "included"].contains(&out[field].as_str()));
            assert!(same, "{field} of {}: {:?} not {value:?}", given["code"], out[field]);
        }
    }
    let second = Shop::new("").with_items(&exported);
    assert_eq!(second.told(&["export", "items"]), exported);
    second.verify();
}

#[test]
fn a_file_is_read_in_the_encoding_it_was_written_in() {
    let csv = "code,name,price\n1,表ソ 髙﨑①,100\n";
    let mut marked = b"\xEF\xBB\xBF".to_vec();
    marked.extend(csv.as_bytes());
    for bytes in
        [csv.as_bytes().to_vec(), marked, cp932(csv), csv.replace('\n', "\r\n").into_bytes()]
    {
        let shop = Shop::new("");
        shop.imported("items", &bytes);
        let open = shop.sell("scan 1");
        assert_eq!(open["sale"]["lines"][0]["name"], "表ソ 髙﨑①");
    }
}

#[test]
fn an_export_for_spreadsheets_is_cp932() {
    let shop = Shop::new("").with_items("code,name,price\n1,表ソ 髙﨑①,100\n2,カフェ☕,300\n");
    let done = shop.regi(&["export", "items", "--encoding", "cp932"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let (read, _, faults) = encoding_rs::SHIFT_JIS.decode(&done.stdout);
    assert!(!faults, "{read}");
    assert!(read.contains("表ソ 髙﨑①"), "{read}");
    let utf8 = shop.told(&["export", "items", "--encoding", "utf8"]);
    assert!(utf8.contains("カフェ☕"), "{utf8}");
}

#[test]
fn what_cp932_lacks_is_named_with_each_place() {
    let shop = Shop::new("").with_items("code,name,price\n1,𠮷野家,100\n2,鷗カフェ☕,300\n");
    let done = shop.regi(&["export", "items", "--encoding", "cp932"]);
    let said = text(&done.stderr);
    for part in ["2", "row 2 𠮷, row 3 ☕"] {
        assert!(said.contains(part), "{said}");
    }
    let (read, _, _) = encoding_rs::SHIFT_JIS.decode(&done.stdout);
    assert!(read.contains("〓野家") && read.contains("鴎カフェ〓"), "{read}");
}

#[test]
fn without_apply_an_import_only_says_what_it_would_do() {
    let shop = Shop::new("");
    let dry = shop.import("items", GOODS.as_bytes(), &[]);
    assert_eq!(dry.status.code(), Some(0), "{}", text(&dry.stderr));
    let said = text(&dry.stdout) + &text(&dry.stderr);
    assert!(said.contains('3'), "three rows: {said}");
    assert_eq!(shop.export("items").len(), 0);
    assert_eq!(shop.refuse("scan 77"), "unknown_code");
}

#[test]
fn a_bad_row_is_named_and_nothing_comes_in() {
    for (csv, row) in [
        ("code,name,price\n1,茶,100\n2,水,xyz\n", "3"),
        ("code,name,price\n1,茶,100\n2,,100\n", "3"),
        ("code,name,price\n4901234567890,茶,100\n", "2"),
        ("code,name,price,tax_class\n1,茶,100,food\n", "2"),
        ("code,name,price,flags\n1,茶,100,age18\n", "2"),
        ("code,name\n1,茶\n", "price"),
    ] {
        let shop = Shop::new("");
        let done = shop.import("items", csv.as_bytes(), &["--apply"]);
        assert_eq!(done.status.code(), Some(1), "{csv}: {}", text(&done.stderr));
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(said.contains(row), "{csv}: {said}");
        assert_eq!(shop.export("items").len(), 0, "{csv}");
        shop.verify();
    }
}

#[test]
fn a_column_that_is_not_read_is_named() {
    let shop = Shop::new("");
    let csv = "code,name,price,colour\n1,茶,100,green\n";
    let done = shop.import("items", csv.as_bytes(), &["--apply"]);
    let said = text(&done.stdout) + &text(&done.stderr);
    assert!(said.contains("colour"), "{said}");
}

#[test]
fn an_import_changes_the_items_it_names() {
    let shop = Shop::new("").with_items("code,name,price\n1,茶,100\n2,水,80\n");
    shop.imported("items", "code,name,price\n1,新茶,150\n3,塩,60\n".as_bytes());
    let open = shop.sell("scan 1\nscan 2\nscan 3\nsubtotal");
    assert_eq!(open["sale"]["total"], 290);
    assert_eq!(shop.export("items").len(), 3);
}

#[test]
fn members_come_back_from_an_export_as_they_went_in() {
    let csv = "\
code,name,kana,phone,mail,postcode,address,sex,birthday,rank,points,joined,note,tags,x_犬
2900000000018,山田 花子,ヤマダ ハナコ,090-1234-5678,hanako@example.jp,100-0005,東京都千代田区丸の内1-1,female,1990-02-28,,120,2024-04-01,左利き,常連,ポチ
2900000000025,大野 太郎,,,,,,,--05-01,,0,,,,
";
    let shop = Shop::new("").with_members(csv);
    let exported = shop.export("members");
    assert_eq!(exported.len(), 2);
    let hanako = &exported[0];
    for (field, want) in [
        ("name", "山田 花子"),
        ("kana", "ヤマダ ハナコ"),
        ("phone", "09012345678"),
        ("mail", "hanako@example.jp"),
        ("postcode", "100-0005"),
        ("sex", "female"),
        ("birthday", "1990-02-28"),
        ("points", "120"),
        ("joined", "2024-04-01"),
        ("note", "左利き"),
        ("tags", "常連"),
        ("x_犬", "ポチ"),
    ] {
        assert_eq!(hanako[field], want, "{field}");
    }
    let again = Shop::new("").with_members(&shop.told(&["export", "members"]));
    assert_eq!(again.export("members"), exported);
    shop.verify();
}

#[test]
fn sales_are_exported_with_returns_as_negative_rows() {
    let shop = Shop::new("").with_members(MEMBERS);
    shop.sell(&format!(
        "member {HANAKO}\ndepartment 1 1080\ndepartment 2 550\ntender_credit 1000\ntender_cash 1000"
    ));
    shop.sell("return 01-000001 2\ntender_cash");
    let sales = shop.export("sales");
    assert_eq!(sales.len(), 2);
    for (field, sold, back) in [
        ("receipt", "01-000001", "01-R000001"),
        ("lane", "1", "1"),
        ("business_date", "2026-11-22", "2026-11-22"),
        ("member", HANAKO, HANAKO),
        ("subtotal", "1630", "-550"),
        ("total", "1630", "-550"),
        ("tax_8", "80", "0"),
        ("tax_10", "50", "-50"),
        ("cash", "630", "-550"),
        ("credit", "1000", "0"),
        ("points_earned", "16", "-6"),
    ] {
        let value = |row: &std::collections::BTreeMap<String, String>| {
            Some(row[field].clone())
                .filter(|value| !value.is_empty())
                .unwrap_or_else(|| "0".to_owned())
        };
        assert_eq!((value(&sales[0]).as_str(), value(&sales[1]).as_str()), (sold, back), "{field}");
    }
    assert!(sales[0]["at"].starts_with("2026-11-22T10:23:00"), "{}", sales[0]["at"]);
    let lines = shop.export("lines");
    assert_eq!(lines.len(), 3);
    let amounts: Vec<_> = lines.iter().map(|row| row["amount"].as_str()).collect();
    assert_eq!(amounts, ["1080", "550", "-550"]);
}

#[test]
fn an_export_keeps_to_its_business_dates() {
    let shop = Shop::new("");
    for day in 20..24 {
        let at = format!("2026-11-{day}T12:00:00+09:00");
        shop.sell_at(&at, &format!("department 1 {day}\ntender_cash\nz_report"));
    }
    let told = shop.told(&["export", "sales", "--from", "2026-11-21", "--to", "2026-11-22"]);
    let totals: Vec<_> = rows(&told).iter().map(|row| row["total"].clone()).collect();
    assert_eq!(totals, ["21", "22"]);
    let bad = shop.regi(&["export", "sales", "--from", "yesterday"]);
    assert!(matches!(bad.status.code(), Some(1 | 2)), "{}", text(&bad.stderr));
}

#[test]
fn settings_come_back_from_an_export_without_pins() {
    let settings = "[points]\nunit_yen = 200\nbasis = \"excluded\"\n[[rank]]\nname = \"gold\"\nrate = \"2\"\n\
        [[staff]]\nnumber = 1\nname = \"店長\"\nlevel = 9\npin = \"482913\"\n[tender.credit]\nstamp_liable = true\n";
    let shop = Shop::new(settings);
    let file = shop.told(&["export", "shop"]);
    assert!(!file.contains("482913") && file.contains("店長"), "{file}");
    let again = Shop::of(&file);
    assert_eq!(again.told(&["export", "shop"]), file);
    let value: toml::Value = toml::from_str(&file).expect("TOML");
    assert_eq!(value["shop"]["name"].as_str(), Some("みどり商店"));
    assert_eq!(value["points"]["unit_yen"].as_integer(), Some(200));
}

#[test]
fn a_change_of_settings_touches_only_what_it_names() {
    let shop = Shop::new("[points]\nunit_yen = 200\n");
    shop.imported(
        "shop",
        b"[tax]\nrounding = \"ceil\"\n[[department]]\nnumber = 3\nremoved = true\n",
    );
    let file: toml::Value = toml::from_str(&shop.told(&["export", "shop"])).expect("TOML");
    assert_eq!(file["tax"]["rounding"].as_str(), Some("ceil"));
    assert_eq!(file["points"]["unit_yen"].as_integer(), Some(200));
    assert_eq!(file["department"].as_array().map(Vec::len), Some(2));
    assert_eq!(shop.refuse("department 3 100"), "unknown_code");
    let sold = shop.sell("department 1 1000\ntender_cash");
    assert_eq!(sold["sale"]["taxes"][0]["tax"], 75);
    shop.verify();
}

#[test]
fn an_unknown_setting_is_refused_with_its_line() {
    for (settings, line) in [
        ("[shop]\nname = \"x\"\ncolour = \"green\"\n", "3"),
        ("[shop]\nname = \"x\"\n[tax]\nrounding = \"up\"\n", "4"),
        ("[shop]\nname = \"x\naddress = 1\n", "2"),
    ] {
        let nowhere = Shop::nowhere();
        let file = nowhere.file("settings.toml", settings.as_bytes());
        let made = nowhere.regi(&["init", "--settings", file.to_str().unwrap()]);
        let said = text(&made.stderr);
        assert_eq!(made.status.code(), Some(1), "{settings}: {said}");
        assert!(said.contains(line), "{settings}: {said}");
    }
    let shop = Shop::of(SHOP);
    let refused = shop.import("shop", b"[shop]\nmotto = \"x\"\n", &["--apply"]);
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn stock_and_points_are_imported_on_their_own() {
    let shop =
        Shop::new("").with_items("code,name,price,stock\n1,茶,100,5\n").with_members(MEMBERS);
    shop.sell("scan 1\nquantity 2\ntender_cash");
    let stock = |shop: &Shop| shop.export("items")[0]["stock"].clone();
    assert_eq!(stock(&shop), "3", "the stock of today");
    shop.imported("stock", b"code,stock\n1,50\n");
    assert_eq!(stock(&shop), "50");
    shop.imported("points", "code,points\n2900000000025,500\n".as_bytes());
    let points = shop.export("points");
    let taro = points.iter().find(|row| row["code"] == "2900000000025").expect("a row");
    assert_eq!(taro["points"], "500");
    shop.verify();
}

/// `japan.md` 6.3: a slip a Z, both sides the same, taxes as they were printed.
#[test]
fn closed_days_leave_as_slips_for_the_bookkeeper() {
    let shop = Shop::new("");
    let day = |day: u32| format!("2026-11-{day}T12:00:00+09:00");
    shop.sell_at(
        &day(20),
        "open_day 1000\ndepartment 1 1080\ndepartment 2 550\ntender_credit 1000\ntender_cash 1000\n\
         paid_out 300 切手\ndepartment 2 1100\ntender_code\nreturn 01-000001 2\ntender_cash\nz_report 770",
    );
    shop.sell_at(&day(21), "department 1 108\ntender_cash\nz_report 108");
    shop.sell_at(&day(22), "department 1 216\ntender_cash");
    let decoded = |bytes: &[u8]| {
        let (told, _, faults) = encoding_rs::SHIFT_JIS.decode(bytes);
        assert!(!faults, "as programs read it: {told}");
        told.into_owned()
    };
    let export = |what: &str, more: &[&str]| {
        let done = shop.regi(&[&["export", what], more].concat());
        assert_eq!(done.status.code(), Some(0), "{what}: {}", text(&done.stderr));
        done.stdout
    };

    let yayoi = decoded(&export("yayoi", &[]));
    let rows: Vec<Vec<&str>> = yayoi.lines().map(|row| row.split(',').collect()).collect();
    let side = |from: usize| -> Vec<String> {
        rows.iter().map(|row| [0, 3, 4, 5].map(|at| row[from + at]).join(" ")).collect()
    };
    let flags: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(flags, ["2110", "2100", "2100", "2100", "2101", "2111"], "{yayoi}");
    assert_eq!(
        side(4),
        [
            "現金 対象外 80 0",
            "売掛金 対象外 1000 0",
            "売掛金 対象外 1100 0",
            "仮払金 対象外 300 0",
            "現金過不足 対象外 10 0",
            "現金 対象外 108 0",
        ]
    );
    assert_eq!(
        side(10),
        [
            "売上高 課税売上込10% 1100 100",
            "売上高 課税売上込軽減8% 1080 80",
            "現金 対象外 300 0",
            "現金 対象外 10 0",
            "  0 ",
            "売上高 課税売上込軽減8% 108 8",
        ]
    );
    assert_eq!((rows[0][3], rows[5][3]), ("2026/11/20", "2026/11/21"));
    assert!(rows[2][16].contains("切手") && rows[3][16].contains("切手"), "{yayoi}");

    for (what, date) in [("freee", "日付"), ("moneyforward", "取引日")] {
        let told = text(&export(what, &[]));
        assert!(told.starts_with('\u{FEFF}'), "{what}");
        let found = crate::support::rows(&told);
        assert_eq!(found.len(), 6, "{what}: {told}");
        assert!(found[0][date] == "2026/11/20" && found[5][date] == "2026/11/21", "{told}");
        let money = |name: &str| -> i64 {
            let amounts = found.iter().flat_map(|row| row.iter());
            let amounts = amounts.filter(|(column, _)| column.starts_with(name));
            amounts.filter_map(|(_, amount)| amount.parse::<i64>().ok()).sum()
        };
        assert_eq!((money("借方金額"), money("貸方金額")), (2_598, 2_598), "{what}");
        let later = ["--from", "2026-11-21", "--encoding", "cp932"];
        let later = decoded(&export(what, &later));
        assert!(later.lines().count() == 2, "{what}: a header and a day: {later}");
    }
    let none = export("yayoi", &["--from", "2026-11-22"]);
    assert!(none.is_empty(), "a day that is not closed is nobody's to book");
}
