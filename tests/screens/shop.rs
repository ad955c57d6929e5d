//! A shop to draw: one sale, one member, one day, as views.

use std::path::Path;
use std::sync::OnceLock;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use regi::domain::money::{Money, yen};
use regi::domain::quantity::UnitPrice;
use regi::domain::register::{
    DayView, ItemView, LineView, MemberView, NumberView, SaleView, StaffView, SuspendedView,
    TaxView,
};
use regi::domain::words::Words;
use regi::screens::{
    Action, Choice, Choices, Health, Keymap, LastSale, Message, Model, Screens, Theme, read_words,
};
use unicode_width::UnicodeWidthStr;

/// Everything a `Model` borrows from.
pub struct Shop {
    pub words: &'static Words,
    pub choices: Choices,
    pub staff: Option<StaffView>,
    pub locked: bool,
    pub training: bool,
    pub open_return: bool,
    pub sale: Option<SaleView>,
    pub selected: Option<u32>,
    pub price_of: String,
    pub last: Option<LastSale>,
    pub suspended: Vec<SuspendedView>,
    pub day: Option<DayView>,
    pub message: Option<Message>,
    pub printer: Health,
    pub scanner: Health,
    pub copy: Health,
    pub disk: Health,
    pub paper: Vec<String>,
}

/// The texts of a language, as its files in the repository have them.
pub fn words(language: &str) -> &'static Words {
    static JA: OnceLock<Words> = OnceLock::new();
    static EN: OnceLock<Words> = OnceLock::new();
    let once = if language == "ja" { &JA } else { &EN };
    once.get_or_init(|| read(language))
}

fn read(language: &str) -> Words {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("languages");
    let mut pairs = Vec::new();
    for part in ["", "papers.", "cli."] {
        let file = format!("{part}{language}.toml");
        let text = std::fs::read_to_string(root.join(&file)).unwrap();
        pairs.extend(read_words(&file, &text).unwrap());
    }
    Words::new(pairs)
}

fn choices(rows: &[(&str, &str)]) -> Vec<Choice> {
    let choice = |(value, label): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
    };
    rows.iter().map(choice).collect()
}

impl Shop {
    pub fn new(language: &str) -> Self {
        Self {
            words: words(language),
            choices: Choices {
                departments: choices(&[("1", "食品"), ("2", "雑貨")]),
                reasons: choices(&[("両替", "両替"), ("切手代", "切手代")]),
                void_reasons: choices(&[("打ち間違い", "打ち間違い")]),
                tax_classes: choices(&[("standard", "10%"), ("reduced", "8%")]),
                customer_kinds: choices(&[("f30", "30代女性")]),
                ranks: choices(&[("gold", "gold")]),
                staff: choices(&[("1", "店長"), ("2", "副店長"), ("3", "田中"), ("4", "佐藤")]),
                denominations: vec![10000, 5000, 2000, 1000, 500, 100, 50, 10, 5, 1],
            },
            staff: Some(StaffView { number: 3, name: "田中".into(), level: 3 }),
            locked: false,
            training: false,
            open_return: false,
            sale: None,
            selected: None,
            price_of: String::new(),
            last: None,
            suspended: Vec::new(),
            day: None,
            message: None,
            printer: Health { word: "state.ready", behind: 0, alert: false },
            scanner: Health::default(),
            copy: Health::default(),
            disk: Health::default(),
            paper: Vec::new(),
        }
    }

    pub fn with_sale(language: &str) -> Self {
        let mut shop = Self::new(language);
        shop.sale = Some(sale(&[
            ("4901234567894", "北海道産 特選牛乳 1L", 2, 248, 0, "※"),
            ("4912345678904", "ﾎﾟﾃﾄﾁｯﾌﾟｽ うすしお", 1, 158, 20, "※"),
            ("0000000000017", "ごみ袋 45L 30枚", 1, 398, 0, ""),
        ]));
        shop
    }

    pub fn model(&self) -> Model<'_> {
        Model {
            words: self.words,
            choices: &self.choices,
            shop: "みどり商店",
            lane: 1,
            clock: "11-22 10:23",
            staff: self.staff.as_ref(),
            locked: self.locked,
            training: self.training,
            open_return: self.open_return,
            sale: self.sale.as_ref(),
            selected: self.selected,
            pending: None,
            needs: &[],
            price_of: &self.price_of,
            member_name: if self.sale.as_ref().is_some_and(|sale| sale.member.is_some()) {
                "山田 花子"
            } else {
                ""
            },
            last: self.last.as_ref(),
            suspended: &self.suspended,
            day: self.day.as_ref(),
            printer: &self.printer,
            scanner: &self.scanner,
            copy: &self.copy,
            disk: &self.disk,
            message: self.message.as_ref(),
            paper: &self.paper,
        }
    }
}

/// Code, name, quantity, unit price, line discount, mark.
type Row<'a> = (&'a str, &'a str, i64, i64, i64, &'a str);

pub fn line(place: u32, (code, name, quantity, price, discount, mark): Row<'_>) -> LineView {
    LineView {
        line: place,
        code: code.into(),
        name: name.into(),
        quantity: quantity.into(),
        unit_price: NumberView(UnitPrice::from(price)),
        discount: yen(discount),
        discount_reason: "",
        amount: yen(quantity * price - discount),
        tax_class: if mark.is_empty() { "standard" } else { "reduced" }.into(),
        list_price: None,
        mark: mark.into(),
        returns: String::new(),
    }
}

pub fn sale(rows: &[Row<'_>]) -> SaleView {
    let lines: Vec<_> = (1..).zip(rows).map(|(place, row)| line(place, *row)).collect();
    let total: Money = lines.iter().map(|line| line.amount).sum();
    let tax = |class: &str, rate: i64, base: i64, tax: i64| TaxView {
        class: class.into(),
        rate: rate.into(),
        mode: "included",
        base: yen(base),
        tax: yen(tax),
    };
    SaleView {
        pieces: rows.iter().map(|row| row.2).sum::<i64>().into(),
        lines,
        subtotal: total,
        discount: yen(0),
        total,
        taxes: vec![tax("standard", 10, 398, 36), tax("reduced", 8, 634, 46)],
        member: Some(MemberView {
            code: "2900000000018".into(),
            rank: "gold".into(),
            points: 1_284,
            ..MemberView::default()
        }),
        points_used: 0,
        points_earned: 10,
        points_taken_back: 0,
        points_given_back: 0,
        tenders: Vec::new(),
        was_paid: Vec::new(),
        paid: yen(0),
        due: total,
        change: yen(0),
        note: String::new(),
        customer_kind: String::new(),
        eat_in: false,
    }
}

pub fn item(code: &str, name: &str, price: i64) -> ItemView {
    ItemView {
        code: code.into(),
        name: name.into(),
        kana: String::new(),
        department: 1,
        price: NumberView(UnitPrice::from(price)),
        tax_class: "reduced".into(),
        unit: "each",
        flags: String::new(),
    }
}

pub fn screens(keymap: &str) -> Screens {
    static TENKEY: OnceLock<Keymap> = OnceLock::new();
    static DARK: OnceLock<Theme> = OnceLock::new();
    let keymap = match keymap {
        "tenkey" => TENKEY.get_or_init(Keymap::usual).clone(),
        other => Keymap::built_in(other).expect("a keymap of that name"),
    };
    Screens::new(keymap, *DARK.get_or_init(Theme::usual))
}

/// Presses keys: one a sign, `<f2>`-like names for the others. Returns the last action.
pub fn press(screens: &mut Screens, shop: &Shop, keys: &str) -> Action {
    let mut action = Action::Stay;
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|named| named.split_once('>'));
        let code = match named {
            Some((name, after)) => {
                rest = after;
                key_code(name)
            }
            None => {
                rest = &rest[first.len_utf8()..];
                KeyCode::Char(first)
            }
        };
        action = screens.on_key(KeyEvent::new(code, KeyModifiers::NONE), &shop.model());
    }
    action
}

fn key_code(name: &str) -> KeyCode {
    match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "right" => KeyCode::Right,
        "tab" => KeyCode::Tab,
        "delete" => KeyCode::Delete,
        "backspace" => KeyCode::Backspace,
        name => KeyCode::F(name[1..].parse().expect("f and a number")),
    }
}

/// Draws the screens and reads the cells back, row by row, without spaces at the end.
pub fn seen(screens: &Screens, shop: &Shop, width: u16, height: u16) -> String {
    let mut cells = Buffer::empty(Rect::new(0, 0, width, height));
    screens.draw(&mut cells, &shop.model());
    let mut rows = Vec::new();
    for y in 0..height {
        let mut row = String::new();
        let mut x = 0;
        while x < width {
            let symbol = cells[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(symbol.width()).unwrap_or(1).max(1);
        }
        rows.push(row.trim_end().to_owned());
    }
    rows.join("\n")
}
