//! `report acts`: what was done beside selling, and by whom: drawers opened, receipts voided, refusals,
//! approvals, prices and settings changed.
//!
//! Room: reports. May touch: std.
//! Invariant: what an owner must be able to ask staff about is in it; goods sold are not.

use chrono::Datelike;

use super::letterhead::at_counter;
use super::table::{Cell, Column, Kind as ColumnKind, Table};
use crate::domain::entry::{Entry, Kind, PrintEnd};
use crate::domain::money::Money;
use crate::domain::words::Words;

/// One act as it is told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Act {
    /// Key of its word.
    word: &'static str,
    /// What it was done to: a receipt, an item, another member of the staff.
    about: String,
    /// Why, in the words of whoever did it, or how much of something that is not money.
    detail: String,
    amount: Option<Money>,
}

impl Act {
    fn of(word: &'static str) -> Option<Self> {
        Some(Self { word, ..Self::default() })
    }

    fn about(word: &'static str, about: impl ToString) -> Option<Self> {
        Some(Self { word, about: about.to_string(), ..Self::default() })
    }

    fn money(word: &'static str, amount: Money, why: &str) -> Option<Self> {
        Some(Self { word, amount: Some(amount), detail: why.to_owned(), ..Self::default() })
    }
}

/// Returns what an entry tells; nothing of sales, of papers that came out, of rows of an import.
fn told(Entry { header, kind }: &Entry) -> Option<Act> {
    match kind {
        Kind::ShopFounded { .. } => Act::of("entry.shop_founded"),
        Kind::EpochBegan { .. } => Act::of("entry.epoch_began"),
        Kind::SettingsChanged(_)
        | Kind::CodesChanged(_)
        | Kind::LoyaltyChanged(_)
        | Kind::GoodsChanged(_) => Act::of("entry.settings_changed"),
        Kind::StaffSignedIn { staff } => Act::about("entry.staff_signed_in", staff),
        Kind::StaffSignedOut { staff } => Act::about("entry.staff_signed_out", staff),
        Kind::PinRefused { staff, tries, .. } => {
            Some(Act { detail: format!("×{tries}"), ..Act::about("entry.pin_refused", staff)? })
        }
        Kind::PinChanged { staff } => Act::about("entry.pin_changed", staff),
        Kind::Approved { by } => Act::about("entry.approved", by),
        Kind::Refused { command, .. } => {
            Some(Act { detail: command.clone(), ..Act::of("entry.refused")? })
        }
        Kind::DayOpened { float } => Act::money("entry.day_opened", *float, ""),
        Kind::SaleVoided { amount, lines, .. } => {
            Act::money("entry.sale_voided", *amount, &format!("×{lines}"))
        }
        Kind::NoSaleCame { done, .. } if !done.voided.is_empty() => {
            let amount = done.voided.iter().map(|line| line.amount).sum();
            Act::money("entry.lines_voided", amount, &format!("×{}", done.voided.len()))
        }
        Kind::ReceiptVoided { receipt, reason, sale, .. } => Some(Act {
            about: receipt.to_string(),
            ..Act::money("entry.receipt_voided", sale.totals.total, reason)?
        }),
        Kind::TenderCorrected { receipt, from, to, amount } => Some(Act {
            about: receipt.to_string(),
            ..Act::money(
                "entry.tender_corrected",
                *amount,
                &format!("{} > {}", from.word(), to.word()),
            )?
        }),
        Kind::Reprinted { receipt, copy } => {
            Some(Act { detail: format!("×{copy}"), ..Act::about("entry.reprinted", receipt)? })
        }
        Kind::FormalReceiptIssued { number, amount, name, .. }
        | Kind::FormalReceiptIssuedFor { number, amount, name, .. } => Some(Act {
            about: number.to_string(),
            ..Act::money("entry.formal_receipt", *amount, name)?
        }),
        Kind::LatePoints { receipt, earned, .. } => {
            Some(Act { detail: earned.to_string(), ..Act::about("entry.late_points", receipt)? })
        }
        Kind::DrawerOpened { reason } => {
            Some(Act { detail: reason.clone(), ..Act::of("entry.drawer_opened")? })
        }
        Kind::DrawerOpenedUnasked => Act::of("entry.drawer_unasked"),
        Kind::PaidIn { amount, reason } => Act::money("entry.paid_in", *amount, reason),
        Kind::PaidOut { amount, reason } => Act::money("entry.paid_out", *amount, reason),
        Kind::Loaned { amount } => Act::money("entry.loaned", *amount, ""),
        Kind::PickedUp { amount } => Act::money("entry.picked_up", *amount, ""),
        Kind::XReported { count } => Act::about("entry.x_report", count),
        Kind::CashCounted(count) => {
            Some(Act { amount: count.total(), ..Act::of("entry.cash_counted")? })
        }
        Kind::ZClosed(closing) => Some(Act {
            about: closing.number.to_string(),
            ..Act::money("entry.z_report", closing.difference, "")?
        }),
        Kind::TrainingBegan => Act::of("entry.training_began"),
        Kind::TrainingEnded => Act::of("entry.training_ended"),
        Kind::ItemSet(item) => Some(Act {
            detail: format!("{} {}", item.name, item.price),
            ..Act::about("entry.item_set", &item.code)?
        }),
        Kind::MemberSet(card) => {
            let today = at_counter(header.at_ms, header.offset_minutes).num_days_from_ce();
            let is_new = card.joined == Some(today);
            Act::about(if is_new { "entry.member_set" } else { "entry.member_edited" }, &card.code)
        }
        Kind::ImportClosed { rows, .. } => {
            Some(Act { detail: format!("×{rows}"), ..Act::of("entry.imported")? })
        }
        Kind::PrintEnded { job, end: PrintEnd::Lost } => Act::about("entry.print_lost", job),
        Kind::ClockJumped { from_ms, to_ms } => {
            let [from, to] = [*from_ms, *to_ms].map(|at_ms| minute(at_ms, header.offset_minutes));
            Some(Act { detail: format!("{from} > {to}"), ..Act::of("entry.clock_jumped")? })
        }
        Kind::DayContinued { .. } => Act::of("entry.day_continued"),
        Kind::TaxFreeRefunded { number, taxes, .. } => Some(Act {
            about: number.to_string(),
            ..Act::money("entry.tax_refunded", taxes.iter().map(|group| group.tax).sum(), "")?
        }),
        _ => None,
    }
}

/// The detail as programs know it and as people read it: names of commands and tenders are words of regi's own.
fn detail(kind: &Kind, detail: String, words: &Words) -> Cell {
    let word = |key: String, code: &str| match words.has(&key) {
        true => words.get(&key).to_owned(),
        false => code.to_owned(),
    };
    let shown = match kind {
        Kind::Refused { command, .. } => word(format!("help.{command}"), command),
        Kind::TenderCorrected { from, to, .. } => {
            let [from, to] =
                [from, to].map(|kind| word(format!("kind.{}", kind.word()), kind.word()));
            format!("{from} > {to}")
        }
        _ => return Cell::Text(detail),
    };
    Cell::Word { code: detail, shown }
}

/// `2026-11-22 10:23`, by the clock of the counter.
fn minute(at_ms: i64, offset_minutes: i16) -> String {
    at_counter(at_ms, offset_minutes).format("%Y-%m-%d %H:%M").to_string()
}

/// The acts of some days, as they come.
#[derive(Debug, Default)]
pub struct Acts(Vec<Vec<Cell>>);

impl Acts {
    /// Adds what an entry tells; training tells nothing but that it was.
    pub fn add(&mut self, entry: &Entry, words: &Words) {
        let header = &entry.header;
        let is_training = |kind| matches!(kind, &Kind::TrainingBegan | &Kind::TrainingEnded);
        let Some(act) = told(entry).filter(|_| !header.training || is_training(&entry.kind)) else {
            return;
        };
        self.0.push(vec![
            Cell::Text(minute(header.at_ms, header.offset_minutes)),
            Cell::Text(header.staff.to_string()),
            Cell::Text(words.get(act.word).to_owned()),
            Cell::Text(act.about),
            detail(&entry.kind, act.detail, words),
            act.amount.map_or(Cell::Empty, Cell::Money),
        ]);
    }

    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    pub fn table(self, words: &Words) -> Table {
        let column = |key, title, kind| Column::new(words, key, title, kind);
        Table {
            name: "acts",
            title: words.get("report.acts.title").to_owned(),
            columns: vec![
                column("at", "report.column.at", ColumnKind::Code),
                column("staff", "report.column.staff", ColumnKind::Code),
                column("act", "report.column.act", ColumnKind::Text),
                column("about", "report.column.about", ColumnKind::Code),
                column("detail", "report.column.detail", ColumnKind::Text),
                column("amount", "report.column.amount", ColumnKind::Money),
            ],
            rows: self.0,
            totals: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::{Clock, Header};
    use crate::domain::money::yen;
    use crate::domain::sale::TenderKind;
    use crate::reports::test_shop::words;

    fn entry(training: bool, kind: Kind) -> Entry {
        let header = Header {
            shop: 1,
            lane: 1,
            epoch: 0,
            seq: 7,
            stamp: 0,
            at_ms: 1_795_310_580_000,
            offset_minutes: 540,
            clock: Clock::System,
            business_date: 739_942,
            staff: 4,
            training,
        };
        Entry { header, kind }
    }

    #[test]
    fn acts_are_told_by_who_what_and_why() {
        let mut acts = Acts::default();
        for (training, kind) in [
            (false, Kind::DrawerOpened { reason: "両替".into() }),
            (false, Kind::PinRefused { staff: 3, tries: 5, locked_until_ms: 0 }),
            (false, Kind::PaidOut { amount: yen(1_200), reason: "切手".into() }),
            (false, Kind::PrintEnded { job: "receipt-01-000001".into(), end: PrintEnd::Printed }),
            (false, Kind::PrintEnded { job: "receipt-01-000002".into(), end: PrintEnd::Lost }),
            (true, Kind::DrawerOpened { reason: "練習".into() }),
            (true, Kind::TrainingBegan),
            (false, Kind::ClockJumped { from_ms: 0, to_ms: 90_000 }),
        ] {
            acts.add(&entry(training, kind), &words("en"));
        }
        // The words of acts are those of the screens; here their keys stand for them.
        let csv = acts.table(&words("en")).to_csv();
        let rows: Vec<&str> =
            csv.lines().map(|row| row.trim_start_matches("2026-11-22 10:23,4,")).collect();
        assert_eq!(
            rows,
            [
                "at,staff,act,about,detail,amount",
                "entry.drawer_opened,,両替,",
                "entry.pin_refused,3,×5,",
                "entry.paid_out,,切手,1200",
                "entry.print_lost,receipt-01-000002,,",
                "entry.training_began,,,",
                "entry.clock_jumped,,1970-01-01 09:00 > 1970-01-01 09:01,",
            ]
        );
    }

    #[test]
    fn a_member_is_new_on_the_day_of_joining_and_edited_after() {
        let card = |joined| {
            let personal = crate::domain::member::Sealed::Erased;
            let (code, rank) = ("29".to_owned(), String::new());
            Kind::MemberSet(Box::new(crate::domain::member::MemberCard {
                code,
                rank,
                joined,
                personal,
            }))
        };
        for (joined, want) in [(739_942, "entry.member_set"), (739_941, "entry.member_edited")] {
            assert_eq!(told(&entry(false, card(Some(joined)))).unwrap().word, want);
        }
    }

    #[test]
    fn commands_and_tenders_are_read_in_the_shops_language_and_known_by_their_names() {
        let pairs = [
            ("entry.refused", "拒否"),
            ("help.line_discount", "行の値引・割引"),
            ("entry.tender_corrected", "支払訂正"),
            ("kind.cash", "現金"),
            ("kind.credit", "クレジット"),
        ];
        let words = Words::new(pairs.map(|(key, text)| (key.to_owned(), text.to_owned())));
        let number = crate::domain::number::DocKind::Receipt;
        let receipt = crate::domain::number::DocNo { lane: 1, epoch: 0, kind: number, number: 7 };
        let (from, to) = (TenderKind::Cash, TenderKind::Credit);
        let mut acts = Acts::default();
        for kind in [
            Kind::Refused { code: "level".into(), command: "line_discount".into() },
            Kind::TenderCorrected { receipt, from, to, amount: yen(496) },
        ] {
            acts.add(&entry(false, kind), &words);
        }
        let table = acts.table(&words);
        let details = |of: fn(&Cell) -> String| -> Vec<String> {
            table.rows.iter().map(|row| of(&row[4])).collect()
        };
        assert_eq!(details(Cell::shown), ["行の値引・割引", "現金 > クレジット"]);
        assert!(table.to_csv().contains(",line_discount,\r\n"));
        assert!(table.to_csv().contains(",cash > credit,496\r\n"));
    }
}
