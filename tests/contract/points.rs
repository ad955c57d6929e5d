//! Points earned, used and taken back: the cases PT-* of `japan.md` 9 and `DESIGN.md` 12.

use crate::support::{HANAKO, MEMBERS, Shop};

const GOODS: &str = "\
code,name,price,tax_class,flags
1,食品,1080,reduced,
2,雑貨,550,standard,
3,たばこ,600,standard,no_discount no_points fixed_price
4,本,1980,standard,
5,紙,100,standard,
6,糊,100,standard,
7,たまご,300,reduced,
";

/// Points earned by one receipt under these rules.
fn earned(rules: &str, rung: &str) -> i64 {
    let shop = Shop::new(rules).with_items(GOODS).with_members(MEMBERS);
    let sold = shop.sell(&format!("member {HANAKO}\n{rung}\ntender_cash"));
    let earned = sold["sale"]["points_earned"].as_i64().expect("points_earned");
    assert_eq!(sold["sale"]["member"]["points"], 120 + earned, "the balance after the sale");
    earned
}

#[test]
fn points_follow_the_shops_rule() {
    let included = "[points]\nunit_yen = 100\npoints = 1\nbasis = \"included\"\n";
    for (id, rules, rung, want) in [
        (
            "PT-01",
            "[points]\nunit_yen = 200\npoints = 1\nbasis = \"excluded\"\n",
            "scan 1\nscan 2",
            7,
        ),
        ("PT-02", included, "scan 1\nscan 2", 16),
        ("PT-03", included, "scan 1\nscan 2\nscan 3", 16),
        ("no goods that earn", included, "scan 3", 0),
        ("less than a unit", included, "department 2 99", 0),
    ] {
        assert_eq!(earned(rules, rung), want, "{id}");
    }
}

#[test]
fn pt_06_a_rank_multiplies_what_was_rounded_before() {
    for (scope, want) in [("line", 10), ("receipt", 11)] {
        let rules = format!(
            "[points]\nunit_yen = 100\npoints = 1\nscope = \"{scope}\"\n[[rank]]\nname = \"half\"\nrate = \"0.5\"\n"
        );
        let members = MEMBERS.replace("1990-02-28,,", "1990-02-28,half,");
        let shop = Shop::new(&rules).with_items(GOODS).with_members(&members);
        let sold =
            shop.sell(&format!("member {HANAKO}\nscan 4\nscan 5\nquantity 2\nscan 6\ntender_cash"));
        assert_eq!(sold["sale"]["points_earned"], want, "{scope}");
        assert_eq!(sold["sale"]["member"]["rank"], "half");
    }
}

#[test]
fn pt_08_points_spent_already_are_taken_back_as_the_shop_says() {
    for (returns, balance, refund) in [("negative", -3, 600), ("deduct", 0, 597), ("keep", 0, 600)]
    {
        let rules = format!("[points]\nunit_yen = 100\nreturns = \"{returns}\"\n");
        let shop = Shop::new(&rules).with_items(GOODS).with_members(MEMBERS);
        let member = "2900000000025"; // without a point
        shop.sell(&format!("member {member}\ndepartment 2 600\ntender_cash"));
        // 90 yen earn nothing, so that 3 points are left.
        let spent =
            shop.sell(&format!("member {member}\ndepartment 2 90\nuse_points 3\ntender_cash"));
        assert_eq!(spent["sale"]["member"]["points"], 3, "{returns}");
        let back = shop.sell("return 01-000001\ntender_cash");
        assert_eq!(back["sale"]["member"]["points"], balance, "{returns}");
        let cash: i64 = back["sale"]["tenders"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|tender| tender["kind"] == "cash")
            .map(|tender| tender["amount"].as_i64().unwrap())
            .sum();
        assert_eq!(cash, -refund, "{returns}");
        shop.verify();
    }
}

#[test]
fn points_used_as_a_discount_come_off_the_total_and_its_points() {
    let shop = Shop::new("").with_items(GOODS).with_members(MEMBERS);
    let sold = shop.sell(&format!("member {HANAKO}\nscan 1\nuse_points 100\ntender_cash"));
    assert_eq!(sold["sale"]["discount"], 100);
    assert_eq!(sold["sale"]["total"], 980);
    assert_eq!(sold["sale"]["points_used"], 100);
    assert_eq!(sold["sale"]["points_earned"], 9, "none on the part paid with points");
    assert_eq!(sold["sale"]["member"]["points"], 29);

    let generous = Shop::new("[points]\non_used = true\n").with_items(GOODS).with_members(MEMBERS);
    let sold = generous.sell(&format!("member {HANAKO}\nscan 1\nuse_points all\ntender_cash"));
    assert_eq!(sold["sale"]["points_used"], 120);
    assert_eq!(sold["sale"]["points_earned"], 10);
}

#[test]
fn points_beyond_balance_minimum_or_step_are_refused() {
    let shop = Shop::new("[points]\nminimum = 50\nuse_step = 10\n")
        .with_items(GOODS)
        .with_members(MEMBERS);
    for (asked, want) in [("121", "points"), ("40", "points"), ("55", "points"), ("60", "")] {
        let played = shop.play(&format!("member {HANAKO}\nscan 1\nuse_points {asked}\nvoid_sale"));
        assert_eq!(played.codes()[2], want, "{asked}");
    }
    assert_eq!(shop.refuse("scan 1\nuse_points 50"), "no_member");
}

#[test]
fn a_day_of_the_week_multiplies_points() {
    // 2026-11-22 is a Sunday.
    let rules = "[points]\n[[points.rule]]\nweekday = \"sunday\"\nrate = \"3\"\n";
    assert_eq!(earned(rules, "scan 7"), 9);
    let rules = "[points]\n[[points.rule]]\nweekday = \"monday\"\nrate = \"3\"\n";
    assert_eq!(earned(rules, "scan 7"), 3);
}

#[test]
fn points_expire_by_the_calendar() {
    let shop = Shop::new("[points]\nexpires_months = 1\n").with_items(GOODS).with_members(MEMBERS);
    shop.sell(&format!("member {HANAKO}\nscan 1\ntender_cash\nz_report"));
    let soon = shop.sell_at("2026-12-21T10:00:00+09:00", &format!("member {HANAKO}"));
    assert_eq!(soon["sale"]["member"]["points"], 130);
    let late = shop.sell_at("2027-02-01T10:00:00+09:00", &format!("member {HANAKO}"));
    assert_eq!(late["sale"]["member"]["points"], 0);
}
