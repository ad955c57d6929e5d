//! Sales, a day and a printer for the papers: those of `japan.md` 7, and harder ones.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use regi::devices::cp932;
use regi::devices::layout::{Face, LaidLine, Wide, lay_out};
use regi::domain::command::Discount;
use regi::domain::day::{Count, DayTotals, DepartmentSum, Tally, TaxKey, TaxSum};
use regi::domain::document::Document;
use regi::domain::entry::{Clock, Entry, Header, Kind, ZClosing};
use regi::domain::item::{ItemFlags, Unit};
use regi::domain::money::{Money, yen};
use regi::domain::number::{DocKind, DocNo};
use regi::domain::points::UseAs;
use regi::domain::quantity::Rate;
use regi::domain::register::{Cart, CartDiscount, CartMember, CartReturn, price};
use regi::domain::sale::{
    LineItem, OnTheWay, Origin, ReturnOf, Sale, SaleId, SaleMember, Tender, TenderKind,
};
use regi::domain::settings::{Coupon, Department, Settings, Staff};
use regi::domain::tax::TaxMode;
use regi::domain::words::Words;
use regi::domain::z_seal::ZSeal;
use regi::reports::letterhead::Act;

pub fn words(language: &str) -> Words {
    let text = match language {
        "ja" => include_str!("../../languages/papers.ja.toml"),
        _ => include_str!("../../languages/papers.en.toml"),
    };
    Words::new(toml::from_str::<BTreeMap<String, String>>(text).unwrap())
}

/// The lines a printer of this width sets; signs are as wide as their CP932 bytes.
pub fn print(document: &Document, columns: usize) -> String {
    let face = Face { columns, clean: &str::to_owned, measure: cp932::columns, wide: Wide::Shown };
    let mut out = String::new();
    for line in lay_out(document, &face) {
        match line {
            LaidLine::Text(spans) => {
                let text: String = spans.into_iter().map(|span| span.text).collect();
                let width: usize = text.chars().map(cp932::columns).sum();
                assert!(width <= columns, "{width} > {columns}: {text}");
                out.push_str(text.trim_end());
            }
            LaidLine::Feed(lines) => out.push_str(&"\n".repeat(usize::from(lines) - 1)),
            other => out.push_str(&format!("<{other:?}>")),
        }
        out.push('\n');
    }
    out
}

pub fn act(at: &str, staff: u32) -> Act<'static> {
    let at = NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M").unwrap();
    let at_ms = at.and_utc().timestamp_millis() - 9 * 3_600_000;
    Act {
        at_ms,
        offset_minutes: 540,
        lane: 1,
        staff,
        training: false,
        head: "0123456789abcdef",
        copy: 0,
    }
}

fn days(date: &str) -> i32 {
    date.parse::<NaiveDate>().unwrap().num_days_from_ce()
}

fn staff(number: u32, name: &str) -> Staff {
    Staff { number, name: name.to_owned(), level: 9 }
}

/// The grocer of 7.1: tax inside, a coupon of 100 yen.
pub fn grocery_shop() -> Settings {
    let mut shop = Settings::default();
    shop.shop.name = "みどり商店 本店".to_owned();
    shop.shop.address = "東京都千代田区丸の内0-0-0".to_owned();
    shop.shop.phone = "03-0000-0000".to_owned();
    shop.shop.registration_number = Some("T7123456789012".to_owned());
    shop.staff = vec![staff(1, "店長"), staff(3, "佐藤")];
    shop.departments = vec![
        Department::new(1, "食品", "reduced"),
        Department::new(2, "日用品", "standard"),
        Department::new(3, "医薬品", "standard"),
        Department::new(9, "金券", "exempt"),
    ];
    shop.coupons.push(Coupon {
        code: "CP0100".to_owned(),
        name: "100円引クーポン".to_owned(),
        off: Discount::Amount(yen(100)),
        minimum: Money::ZERO,
        from: None,
        to: None,
    });
    shop.receipt.footer = vec!["返品は2週間以内にこのレシートをお持ちください。".to_owned()];
    shop
}

/// The pharmacy of 7.2: tax added, points settle like money.
pub fn medicine_shop() -> Settings {
    let mut shop = Settings::default();
    shop.shop.name = "あおば薬局".to_owned();
    shop.shop.address = "大阪市北区梅田0-0-0".to_owned();
    shop.shop.phone = "06-0000-0000".to_owned();
    shop.shop.registration_number = Some("T8000000000001".to_owned());
    shop.tax.price_mode = TaxMode::Excluded;
    shop.points.use_as = UseAs::Tender;
    shop.staff = vec![staff(2, "鈴木")];
    shop
}

fn item(code: &str, name: &str, class: &str, price: i64) -> LineItem {
    LineItem {
        code: code.to_owned(),
        name: name.to_owned(),
        printed: name.to_owned(),
        department: if class == "reduced" { 1 } else { 2 },
        quantity: 1.into(),
        unit: Unit::Each,
        unit_price: price.into(),
        list_price: None,
        price_mode: TaxMode::Included,
        class: class.to_owned(),
        own_class: None,
        flags: ItemFlags::default(),
        discount: None,
        cost: None,
        origin: None,
    }
}

fn tender(kind: TenderKind, amount: i64, applied: i64) -> Tender {
    Tender { kind, amount: yen(amount), applied: yen(applied) }
}

/// Prices the cart as the register would, and closes it with these tenders.
fn closed(shop: &Settings, number: u32, kind: DocKind, cart: &Cart, tenders: Vec<Tender>) -> Sale {
    let priced = price(cart, shop, days("2026-11-22")).unwrap();
    let settled: Money = tenders.iter().map(|tender| tender.applied).sum();
    assert_eq!(settled, priced.totals.total, "the tenders settle the sale");
    let change = tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
    let change = change.map(|tender| tender.amount - tender.applied).sum();
    let member = cart.member.as_ref().map(|member| SaleMember {
        code: member.code.clone(),
        rank: member.rank.clone(),
        rank_rate: member.rank_rate,
        points_before: member.points,
        points_after: member.points - priced.points_used + priced.points_earned,
    });
    Sale {
        id: SaleId(number.into()),
        number: DocNo { lane: 1, epoch: 0, kind, number },
        lines: priced.lines,
        discounts: priced.discounts,
        totals: priced.totals,
        member,
        points_used: priced.points_used,
        points_earned: priced.points_earned,
        tenders,
        change,
        eat_in: cart.eat_in,
        customer_kind: String::new(),
        note: cart.note.clone(),
        return_of: None,
        returned: priced.returned,
        on_the_way: OnTheWay::default(),
        stamp_duty: Money::ZERO,
    }
}

fn member(points: i64) -> Option<CartMember> {
    Some(CartMember {
        code: "2900000001234".to_owned(),
        rank: "regular".to_owned(),
        rank_rate: Rate::ONE,
        points,
    })
}

fn grocery_cart() -> Cart {
    let mut milk = item("4912345678904", "牛乳 1L", "reduced", 248);
    milk.quantity = 2.into();
    Cart {
        lines: vec![
            milk,
            item("4901234100145", "食パン 6枚", "reduced", 178),
            item("0237020", "豚ロース", "reduced", 432),
            item("4512345200176", "洗剤 詰替", "standard", 398),
            item("4512345200305", "単3電池 4本", "standard", 548),
            item("902", "レジ袋 中", "standard", 5),
        ],
        member: member(128),
        discounts: vec![CartDiscount {
            given: Discount::Amount(yen(100)),
            coupon: "CP0100".to_owned(),
        }],
        ..Cart::default()
    }
}

/// `japan.md` 7.1.
pub fn grocery_sale(shop: &Settings) -> Sale {
    let tenders = vec![tender(TenderKind::Cash, 2_007, 1_957)];
    closed(shop, 8834, DocKind::Receipt, &grocery_cart(), tenders)
}

pub fn training_sale(shop: &Settings) -> Sale {
    let tenders = vec![tender(TenderKind::Cash, 1_957, 1_957)];
    closed(shop, 1, DocKind::Training, &grocery_cart(), tenders)
}

/// `japan.md` 7.2.
pub fn medicine_sale(shop: &Settings) -> Sale {
    let excluded = |mut item: LineItem| {
        item.price_mode = TaxMode::Excluded;
        item
    };
    let mut cold = excluded(item("4987654300017", "かぜ薬A 12包", "standard", 1_480));
    cold.flags.self_medication = true;
    let cart = Cart {
        lines: vec![
            cold,
            excluded(item("4987654300024", "のど飴", "reduced", 198)),
            excluded(item("4987654300031", "化粧水 200mL", "standard", 1_980)),
        ],
        member: member(1_500),
        points_used: 500,
        ..Cart::default()
    };
    let tenders =
        vec![tender(TenderKind::Points, 500, 500), tender(TenderKind::Credit, 3_519, 3_519)];
    closed(shop, 1207, DocKind::Receipt, &cart, tenders)
}

/// Weight, a discount on a line, a percentage on all, another price, exempt goods, points as a
/// discount, a voucher that gives no change, and enough cash for a stamp.
pub fn mixed_sale(shop: &Settings) -> Sale {
    let mut beef = item("2100003", "牛もも肉 量り売り", "reduced", 398);
    beef.unit = Unit::Per100g;
    beef.quantity = "12.5".parse().unwrap();
    let mut rice = item("205", "新米 量り売り", "reduced", 598);
    rice.unit = Unit::Kg;
    rice.quantity = "1.25".parse().unwrap();
    let mut wine =
        item("4909876400119", "とても長い名前の赤ワイン 特別限定醸造 750mL", "standard", 30_000);
    wine.quantity = 2.into();
    wine.discount = Some(Discount::Amount(yen(1_000)));
    let mut lamp = item("4512345200992", "LED電球 60W形", "standard", 700);
    lamp.list_price = Some(798.into());
    lamp.discount = Some(Discount::Percent(20.into()));
    let mut stamps = item("801", "切手 110円", "exempt", 110);
    stamps.department = 9;
    stamps.flags.no_discount = true;
    stamps.quantity = 10.into();
    let cart = Cart {
        lines: vec![beef, rice, wine, lamp, stamps],
        member: member(1_280),
        discounts: vec![CartDiscount { given: Discount::Percent(5.into()), coupon: String::new() }],
        points_used: 500,
        note: "配達 18時".to_owned(),
        ..Cart::default()
    };
    let total = price(&cart, shop, days("2026-11-22")).unwrap().totals.total.minor();
    let tenders = vec![
        tender(TenderKind::Voucher, 1_000, 1_000),
        tender(TenderKind::Emoney, 2_000, 2_000),
        tender(TenderKind::Cash, 70_000, total - 3_000),
    ];
    let mut sale = closed(shop, 8835, DocKind::Receipt, &cart, tenders);
    sale.stamp_duty = yen(200);
    sale
}

fn coming_back(shop: &Settings, line: u32) -> (LineItem, CartReturn) {
    let sold = grocery_sale(shop);
    let mut back = sold.lines[line as usize - 1].item.clone();
    back.quantity = (-1).into();
    back.origin = Some(Origin { receipt: sold.number, line });
    let returning = CartReturn {
        earned: sold.points_earned,
        sale: Box::new(sold),
        sold_on: days("2026-11-22"),
        returned_before: BTreeMap::new(),
        points_taken_back_before: 0,
        points_given_back_before: 0,
        member: Some("2900000001234".to_owned()),
    };
    (back, returning)
}

fn return_of(returning: &CartReturn, taken: i64) -> Option<ReturnOf> {
    Some(ReturnOf {
        receipt: returning.sale.number,
        sold_on: returning.sold_on,
        points_taken_back: taken,
        points_deducted: 0,
        points_given_back: 0,
    })
}

/// `japan.md` 7.3: the detergent of 7.1 comes back.
pub fn return_of_detergent(shop: &Settings) -> Sale {
    let (back, returning) = coming_back(shop, 4);
    let return_of = return_of(&returning, 4);
    let cart = Cart {
        lines: vec![back],
        returning: Some(returning),
        note: "お客様都合".to_owned(),
        ..Cart::default()
    };
    let tenders = vec![tender(TenderKind::Cash, -379, -379)];
    let mut sale = closed(shop, 12, DocKind::Return, &cart, tenders);
    sale.return_of = return_of;
    sale.on_the_way.approved_by = vec![1];
    sale
}

/// The detergent for one of another scent.
pub fn exchange_sale(shop: &Settings) -> Sale {
    let (back, returning) = coming_back(shop, 4);
    let return_of = return_of(&returning, 4);
    let cart = Cart {
        lines: vec![back, item("4512345200183", "洗剤 詰替 森の香り", "standard", 428)],
        returning: Some(returning),
        ..Cart::default()
    };
    let tenders = vec![tender(TenderKind::Cash, 49, 49)];
    let mut sale = closed(shop, 8840, DocKind::Receipt, &cart, tenders);
    sale.return_of = return_of;
    sale
}

pub fn open_return(shop: &Settings) -> Sale {
    let mut back = item("4512345200176", "洗剤 詰替", "standard", 398);
    back.quantity = (-1).into();
    let cart = Cart { lines: vec![back], open_return: true, ..Cart::default() };
    closed(shop, 13, DocKind::Return, &cart, vec![tender(TenderKind::Cash, -398, -398)])
}

fn header(seq: u64) -> Header {
    Header {
        shop: 1,
        lane: 1,
        epoch: 0,
        seq,
        stamp: seq,
        at_ms: act("2026-11-22 10:23", 3).at_ms,
        offset_minutes: 540,
        clock: Clock::System,
        business_date: days("2026-11-22"),
        staff: 3,
        training: false,
    }
}

/// The totals of a day on which these sales closed.
pub fn day(sales: &[Sale]) -> DayTotals {
    let mut day = DayTotals::open(&header(1), Money::ZERO);
    for (seq, sale) in (2..).zip(sales) {
        let kind = Kind::SaleClosed(Box::new(sale.clone()));
        day.fold(&Entry { header: header(seq), kind });
    }
    day
}

fn tally(count: i64, amount: i64) -> Tally {
    Tally { count, amount: yen(amount) }
}

/// `japan.md` 7.4, figure by figure.
pub fn day_closing() -> (DayTotals, ZClosing) {
    let number = |kind, number| DocNo { lane: 1, epoch: 0, kind, number };
    let mut day = DayTotals::open(&header(1), yen(50_000));
    day.first = Some(number(DocKind::Receipt, 8812));
    day.last = Some(number(DocKind::Receipt, 8901));
    day.receipts = 90;
    day.pieces = 312.into();
    day.gross = yen(186_430);
    day.amounts_off = tally(21, 2_130);
    day.percents_off = tally(9, 1_284);
    day.returns = tally(3, 1_377);
    day.net = yen(181_639);
    day.customers = 87;
    for (class, rate, base, tax) in [
        ("reduced", "8", 98_604, 7_268),
        ("standard", "10", 79_035, 7_149),
        ("exempt", "", 4_000, 0),
    ] {
        let key = TaxKey { class: class.to_owned(), rate: rate.to_owned(), included: true };
        day.taxes.insert(key, TaxSum { base: yen(base), tax: yen(tax) });
    }
    for (kind, count, amount) in [
        (TenderKind::Cash, 52, 96_120),
        (TenderKind::Credit, 18, 48_300),
        (TenderKind::Emoney, 9, 12_560),
        (TenderKind::Code, 11, 18_659),
        (TenderKind::Voucher, 3, 4_000),
        (TenderKind::Points, 4, 2_000),
    ] {
        day.tenders.insert(kind, tally(count, amount));
    }
    day.paid_in = tally(1, 3_000);
    day.paid_out = tally(2, 8_400);
    day.voided_lines = tally(6, 2_310);
    day.voided_sales = tally(1, 980);
    (day.overrides, day.no_sales, day.formal_receipts) = (11, 5, 4);
    (day.reprints, day.age_checks, day.x_reports) = (2, 14, 2);
    for (department, pieces, amount) in
        [(1, 201, 98_604), (2, 84, 52_310), (3, 23, 26_725), (9, 4, 4_000)]
    {
        let sum = DepartmentSum { quantity: pieces.into(), amount: yen(amount) };
        day.departments.insert(department, sum);
    }
    for (hour, count, amount) in [
        (9, 8, 12_430),
        (10, 11, 21_004),
        (11, 12, 24_880),
        (12, 10, 19_655),
        (13, 6, 13_270),
        (14, 6, 11_900),
        (15, 7, 16_480),
        (16, 10, 22_310),
        (17, 11, 25_640),
        (18, 6, 14_070),
    ] {
        day.hours.insert(hour, tally(count, amount));
    }
    (day.points_given, day.points_used, day.points_taken_back) = (1_742, 2_000, 11);
    let faces = [
        (10_000, 8),
        (5_000, 3),
        (1_000, 34),
        (500, 14),
        (100, 38),
        (50, 9),
        (10, 37),
        (5, 6),
        (1, 20),
    ];
    let count = Count { pieces: faces.map(|(face, pieces)| (yen(face), pieces)).into() };
    let closing = ZClosing {
        number: number(DocKind::Z, 412),
        counted: count.total(),
        count: Some(count),
        expected: day.expected_cash(),
        difference: yen(-50),
        float_left: yen(50_000),
        seal: Some(ZSeal::blank([0x3c; 32]).signed([0xa5; 64])),
        grand_total_before: yen(45_678_901),
        grand_total: yen(45_860_540),
    };
    (day, closing)
}
