//! Members at the counter: found by what customers say, registered, changed, attached.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{HANAKO, MEMBERS, Shop, checked, holds};

fn shop() -> Shop {
    Shop::new("").with_members(MEMBERS)
}

fn names(answer: &Value) -> Vec<&str> {
    let members = answer["members"].as_array().expect("members");
    members.iter().map(|member| member["name"].as_str().unwrap_or("")).collect()
}

#[test]
fn a_member_is_found_by_whatever_the_customer_says() {
    let shop = shop();
    for (said, want) in [
        (HANAKO, vec!["山田 花子"]),
        ("09012345678", vec!["山田 花子"]),
        ("090-1234-5678", vec!["山田 花子"]),
        ("０９０－１２３４－５６７８", vec!["山田 花子"]),
        ("5678", vec!["山田 花子"]),
        ("3333", vec!["大野 太郎"]),
        ("5555", vec!["小野 次郎"]),
        ("ヤマダ", vec!["山田 花子"]),
        ("ﾔﾏﾀﾞ ﾊﾅ", vec!["山田 花子"]),
        ("やまだ　はなこ", vec!["山田 花子"]),
        ("yamada", vec!["山田 花子"]),
        ("takasaki", vec!["髙﨑 京子"]),
        ("花子", vec!["山田 花子"]),
        ("野", vec!["大野 太郎", "小野 次郎"]),
        ("高崎", vec!["髙﨑 京子"]),
        ("kyoko@", vec!["髙﨑 京子"]),
        ("HANAKO@example.jp", vec!["山田 花子"]),
        ("佐藤", vec![]),
    ] {
        let answer = shop.sell(&format!("find_member {said}"));
        let mut found = names(&answer);
        found.sort_unstable();
        let mut want = want;
        want.sort_unstable();
        assert_eq!(found, want, "{said}");
    }
}

#[test]
fn tn_03_the_exact_name_comes_before_the_similar_one() {
    let shop = shop();
    for (said, first) in [("オオノ", "大野 太郎"), ("オノ", "小野 次郎")] {
        let answer = shop.sell(&format!("find_member {said}"));
        let found = names(&answer);
        assert_eq!(found.len(), 2, "{said}: {found:?}");
        assert_eq!(found[0], first, "{said}");
    }
}

#[test]
fn a_card_scanned_at_any_time_attaches_its_member() {
    let shop = shop();
    let before = shop.sell(&format!("scan {HANAKO}"));
    assert_eq!(before["sale"]["member"]["code"], HANAKO);
    assert_eq!(before["sale"]["member"]["points"], 120);
    assert_eq!(before["sale"]["member"]["rank"], "regular");
    let sold = shop.sell("department 1 1080\ntender_cash");
    assert_eq!(sold["sale"]["points_earned"], 10);
    assert_eq!(sold["sale"]["member"]["points"], 130);

    let after = shop.sell("department 1 1080\nmember 2900000000025\nclear_member\ntender_cash");
    assert!(after["sale"]["member"].is_null());
    assert_eq!(shop.refuse("member 2900000000056"), "no_member");
    assert_eq!(shop.refuse("scan 2900000000011"), "check_digit");
    shop.verify();
}

#[test]
fn latin_letters_find_a_second_name_and_the_front_of_a_mail_address() {
    let shop = shop();
    shop.sell("new_member name=\"John Smith\" phone=080-9999-1111 mail=jsmi@example.com");
    for said in ["Smith", "smit", "jsmi", "jsmi@exa"] {
        assert_eq!(names(&shop.sell(&format!("find_member {said}"))), ["John Smith"], "{said}");
    }
}

#[test]
fn a_new_member_earns_with_the_sale_at_hand() {
    let shop = shop();
    let made = shop.sell(
        "department 1 540\nnew_member name=\"佐藤 愛\" kana=\"サトウ アイ\" phone=080-9999-1111 birthday=--05-01",
    );
    let code = made["member"]["code"].as_str().expect("a code").to_owned();
    assert!(code.starts_with("29") && code == checked(&code[..12]), "{code}");
    let sold = shop.sell("tender_cash");
    assert_eq!(sold["sale"]["member"]["code"], code);
    assert_eq!(sold["sale"]["points_earned"], 5);
    let found = shop.sell("find_member satou");
    assert_eq!(found["members"][0]["code"], code);
    assert_eq!(found["members"][0]["points"], 5);
    assert_eq!(found["members"][0]["phone"], "08099991111");

    let changed = shop.sell(&format!("member {code}\nedit_member phone=03-1111-2222 x_犬=ポチ"));
    assert_eq!(changed["member"]["phone"], "0311112222");
    let found = shop.sell("find_member 2222");
    assert_eq!(found["members"][0]["code"], code);
    assert_eq!(names(&shop.sell("find_member 99991111")).len(), 0, "the old number is gone");
    let found = shop.sell("find_member 0311112");
    assert_eq!(
        found["members"][0]["code"], code,
        "the front of a number that somebody began to say"
    );
    let exported = shop.export("members");
    let row = exported.iter().find(|row| row["code"] == code).expect("exported");
    assert_eq!(row["x_犬"], "ポチ");
    assert_eq!(row["birthday"], "--05-01");
    shop.verify();
}

#[test]
fn a_members_field_that_does_not_fit_changes_nothing() {
    let shop = shop();
    for field in [
        "birthday=1990-02-30",
        "sex=unknown",
        "mail=nobody",
        "phone=12",
        "shoe_size=24",
        "points=999999",
    ] {
        assert_eq!(
            shop.refuse(&format!("member {HANAKO}\nedit_member name=x {field}")),
            "bad_argument"
        );
        let found = shop.sell(&format!("clear_member\nfind_member {HANAKO}"));
        assert_eq!(names(&found), ["山田 花子"], "{field}");
    }
    assert_eq!(shop.refuse("edit_member name=x"), "no_member");
    let taken = format!("new_member name=x code={HANAKO}");
    assert_eq!(shop.play(&taken).codes().len(), 1);
    assert_eq!(shop.play(&taken).answers[0]["ok"], false);
}

#[test]
fn points_forgotten_at_the_till_are_given_later_once() {
    let shop = shop();
    shop.sell("department 1 1080\ntender_cash");
    shop.sell(&format!("late_points 01-000001 {HANAKO}"));
    let found = shop.sell(&format!("find_member {HANAKO}"));
    assert_eq!(found["members"][0]["points"], 130);
    let again = shop.play(&format!("late_points 01-000001 {HANAKO}"));
    assert_eq!(again.answers[0]["ok"], false, "{}", again.stdout);
    let said = again.answers[0]["error"]["message"].as_str().expect("a sentence");
    assert!(!said.contains('_'), "a sentence, not its key: {said}");
    assert_eq!(shop.refuse(&format!("late_points 01-000099 {HANAKO}")), "receipt");
    let back = shop.sell("return 01-000001\ntender_cash");
    assert_eq!(back["sale"]["member"]["points"], 120, "and go back with the goods");
    shop.verify();
}

#[test]
fn points_given_late_go_back_when_the_receipt_is_voided() {
    let shop = shop();
    shop.sell("department 1 1080\ntender_cash");
    shop.sell(&format!("late_points 01-000001 {HANAKO}\nvoid_receipt 01-000001 打ち間違い"));
    let found = shop.sell(&format!("find_member {HANAKO}"));
    assert_eq!(found["members"][0]["points"], 120);
    shop.verify();
}

#[test]
fn a_sale_names_its_member_by_code_only() {
    let shop = shop();
    let sold = shop.sell(&format!("member {HANAKO}\ndepartment 1 108\ntender_cash"));
    let sale = sold["sale"].to_string();
    assert!(!sale.contains("山田") && !sale.contains("09012345678"), "{sale}");
    for segment in shop.segments() {
        let bytes = std::fs::read(segment).expect("a segment");
        assert!(!crate::support::holds(&bytes, "山田".as_bytes()), "a name in the clear");
        assert!(!crate::support::holds(&bytes, b"09012345678"), "a phone in the clear");
    }
}

#[test]
fn a_member_has_a_name_or_none_but_no_blank_one() {
    let shop = Shop::new("");
    for name in ["\" \"", "\"　\"", "\"\""] {
        assert_eq!(shop.refuse(&format!("new_member name={name}")), "bad_argument", "{name}");
    }
    shop.sell("new_member name=\"山田 花子\"");
}

#[test]
fn stamps_and_coupons_of_the_shop_are_counted() {
    let shop = Shop::new(
        "[[coupon]]\ncode = \"WELCOME\"\nname = \"開店\"\namount = 100\nminimum = 500\n\
         [[coupon]]\ncode = \"OLD\"\npercent = \"10\"\nto = \"2026-11-21\"\n",
    )
    .with_members(MEMBERS);
    shop.sell(&format!("member {HANAKO}\nstamp 2"));
    let sold = shop.sell("department 1 600\ncoupon WELCOME\ntender_cash");
    assert_eq!(sold["sale"]["discount"], 100);
    assert_eq!(sold["sale"]["total"], 500);
    assert_eq!(shop.refuse("department 1 499\ncoupon WELCOME"), "coupon");
    for (coupon, want) in
        [("OLD", vec!["coupon", "expired"]), ("NONE", vec!["coupon", "unknown_code"])]
    {
        let code = shop.refuse(&format!("void_sale\ndepartment 1 600\ncoupon {coupon}"));
        assert!(want.contains(&code.as_str()), "{coupon}: {code}");
    }
    let found = shop.sell(&format!("find_member {HANAKO}"));
    assert_eq!(found["members"][0]["stamps"], 2);
}

/// Whether some byte of the shop's folder still shows these words.
fn shows(dir: &Path, words: &str) -> bool {
    fs::read_dir(dir).expect("the folder").any(|entry| {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => shows(&path, words),
            false => holds(&fs::read(&path).unwrap_or_default(), words.as_bytes()),
        }
    })
}

#[test]
fn an_erased_member_leaves_no_name_and_the_sales_stay() {
    let shop = shop();
    shop.sell(&format!("member {HANAKO}\ndepartment 1 1080\ntender_cash"));
    assert!(
        shows(&shop.dir(), "hanako@example.jp"),
        "on file, so that the question means something"
    );
    assert_eq!(shop.refuse(&format!("erase_member {HANAKO}")), "confirm");
    assert_eq!(names(&shop.sell(&format!("find_member {HANAKO}"))), ["山田 花子"]);
    let played =
        shop.play(&format!("erase_member {HANAKO}\nconfirm\nfind_member 5678\nmember {HANAKO}"));
    assert_eq!(played.codes(), ["confirm", "", "", "no_member"]);
    for words in ["hanako@example.jp", "山田 花子", "09012345678"] {
        assert!(!shows(&shop.dir(), words), "{words}");
    }
    assert_eq!(shop.refuse(&format!("new_member code={HANAKO} name=他人")), "duplicate");
    let sales = shop.export("sales");
    assert_eq!((sales[0]["member"].as_str(), sales[0]["total"].as_str()), (HANAKO, "1080"));
    let journal = shop.export("journal");
    let erased = journal.iter().find(|row| row["kind"] == "member_erased").expect("an entry");
    assert!(erased["detail"].contains(HANAKO), "{erased:?}");
    shop.verify();
}

/// Who erased a member has to delete the backups that were made before, and only those.
#[test]
fn backups_that_still_show_an_erased_member_are_listed() {
    let shop = shop();
    let day = |day: u32| format!("2026-11-{day}T12:00:00+09:00");
    shop.sell_at(&day(20), "department 1 100\ntender_cash\nz_report");
    let later = "new_member code=2900000000056 name=新井\ndepartment 1 100\ntender_cash\nz_report";
    shop.sell_at(&day(21), later);
    let backups = shop.dir().join("backup");
    fs::rename(backups.join("01-Z0001.regi"), backups.join("01-Z0001.failed")).expect("set aside");
    fs::write(backups.join("notes.txt"), "no backup").expect("a file of somebody's");

    let erased = |code: &str| shop.play_at(&day(22), &format!("erase_member {code}\nconfirm"));
    let listed = |answer: &serde_json::Value| -> Vec<String> {
        let rows = answer["rows"].as_array().into_iter().flatten();
        let dated = |row: &serde_json::Value| {
            let date = row["date"].as_str().expect("a date");
            assert!(date.len() == 10 && date.starts_with("20"), "{row}");
            row["backup"].as_str().expect("a name").to_owned()
        };
        rows.map(dated).collect()
    };
    let hanako = erased(HANAKO);
    assert_eq!(listed(hanako.last()), ["01-Z0001.failed", "01-Z0002.regi"]);
    let told = hanako.last()["document"].as_str().expect("a page for people");
    assert!(told.contains("backup/01-Z0002.regi") && told.contains("elsewhere"), "{told}");
    assert_eq!(listed(erased("2900000000056").last()), ["01-Z0002.regi"], "enrolled on that day");

    shop.sell_at(&day(22), "department 1 100\ntender_cash\nz_report");
    fs::remove_file(backups.join("01-Z0001.failed")).expect("deleted");
    fs::remove_file(backups.join("01-Z0002.regi")).expect("deleted");
    let taro = erased("2900000000025");
    assert_eq!(listed(taro.last()), ["01-Z0003.regi"]);
    fs::remove_file(backups.join("01-Z0003.regi")).expect("deleted");
    let jiro = erased("2900000000032");
    assert!(jiro.last()["rows"].is_null() && jiro.last()["ok"] == true, "{}", jiro.last());
}

/// `japan.md` 3.6: a card's number is a string, whatever its symbol.
#[test]
fn cards_a_shop_had_before_attach_their_members_too() {
    let cards = "code,name,points\nA37859+B,山田,10\n0123456789ABCDEF,鈴木,5\n12345,佐藤,1\n";
    let shop = Shop::new("").with_items("code,name,price\nX-7,箱,100\n").with_members(cards);
    for (scan, code) in [
        ("A37859+B", "A37859+B"),
        ("a37859+b", "A37859+B"),
        ("0123456789abcdef", "0123456789ABCDEF"),
    ] {
        let sale = shop.sell(&format!("scan X-7\nscan {scan}"));
        assert_eq!(sale["sale"]["member"]["code"], code, "{scan}");
        let asked = shop.sell(&format!("void_sale\ninquire {scan}"));
        assert_eq!(asked["member"]["code"], code, "{scan}");
    }
    assert_eq!(shop.refuse("scan 12345"), "unknown_code", "a short number is of goods");
    assert_eq!(shop.export("members")[0]["code"], "A37859+B");
}

/// What the members' list of a terminal says of Hanako: points, visits, spent, last visit.
fn listed(shop: &Shop) -> Value {
    let report = shop.regi(&["report", "members", "--format", "json"]);
    let table: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    let rows = table["rows"].as_array().expect("rows").iter();
    let hanako = rows.clone().find(|row| row["code"] == HANAKO);
    hanako.expect("she is listed").clone()
}

#[test]
fn goods_brought_back_are_no_visit_and_their_points_and_money_go_back() {
    let shop = shop();
    shop.sell(&format!("member {HANAKO}\ndepartment 2 1000\nuse_points 20\ntender_credit"));
    let bought = listed(&shop);
    assert_eq!((&bought["visits"], &bought["spent"]), (&1.into(), &980.into()));
    let open = shop.play("return 01-000001");
    let sale = &open.last()["sale"];
    assert_eq!((&sale["points_taken_back"], &sale["points_given_back"]), (&9.into(), &20.into()));
    assert_eq!(sale["member"]["points"], 120, "the balance that comes");
    let closed = shop.sell("tender_credit");
    assert_eq!(closed["sale"]["points_taken_back"], 9);
    let back = listed(&shop);
    assert_eq!(
        (&back["visits"], &back["spent"], &back["points"]),
        (&1.into(), &0.into(), &120.into())
    );
    let x = shop.regi(&["report", "x", "--format", "csv"]);
    let x = String::from_utf8(x.stdout).expect("UTF-8");
    for row in [
        "points,given,9,,",
        "points,used,20,,",
        "points,taken_back,9,,",
        "points,given_back,20,,",
        "tender,credit,2,0,",
    ] {
        assert!(x.contains(&format!("\r\n{row}\r\n")), "{row}: {x}");
    }
    assert!(!x.contains("tender,cash"), "{x}");
}
