//! A PIN compared beside the loop: the tenth of a second it costs holds up no key.
//!
//! Room: app. May touch: the keys, through the books; one thread a PIN.
//! Invariant: what was compared counts for that number and for one command.

use std::sync::Arc;

use super::books::Books;
use crate::domain::command::{Command, Pin};
use crate::domain::item::Item;
use crate::domain::member::Member;
use crate::domain::number::DocNo;
use crate::domain::refusal::Refusal;
use crate::domain::register::{ItemFound, Lookup, PinVerdict, StoredSale};
use crate::domain::tax_free::Kept;
use crate::store::store_reader::StoreReader;

/// A PIN that was compared with the one on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    staff: u32,
    verdict: PinVerdict,
}

/// The PIN a command has to prove, and whose it should be.
pub fn asked(command: &Command) -> Option<(u32, &Pin)> {
    match command {
        Command::SignIn { staff, pin: Some(pin) } | Command::Approve { staff, pin } => {
            Some((*staff, pin))
        }
        _ => None,
    }
}

/// Compares a PIN on a thread of its own; `done` hears of it there.
///
/// # Errors
/// When there is no thread to be had; then `done` is never called.
pub fn compare(
    books: &Arc<Books>,
    (staff, pin): (u32, &Pin),
    done: impl FnOnce(Result<Compared, Refusal>) + Send + 'static,
) -> std::io::Result<()> {
    let (books, pin) = (Arc::clone(books), pin.clone());
    let work = move || {
        let verdict = books.keys().check_pin(staff, Some(&pin));
        done(verdict.map(|verdict| Compared { staff, verdict }).map_err(Refusal::from));
    };
    std::thread::Builder::new().name("pin".to_owned()).spawn(work).map(drop)
}

/// The store's reader, which already knows the PIN that was compared.
pub struct Knowing<'a> {
    pub reader: &'a StoreReader,
    pub compared: Option<Compared>,
}

impl Lookup for Knowing<'_> {
    fn item(&self, code: &str) -> Result<Option<ItemFound>, Refusal> {
        self.reader.item(code)
    }

    fn find_items(&self, text: &str, limit: usize) -> Result<Vec<Item>, Refusal> {
        Lookup::find_items(self.reader, text, limit)
    }

    fn member(&self, code: &str) -> Result<Option<Member>, Refusal> {
        self.reader.member(code)
    }

    fn find_members(&self, text: &str, limit: usize) -> Result<Vec<Member>, Refusal> {
        self.reader.find_members(text, limit)
    }

    fn member_code_used(&self, code: &str) -> Result<bool, Refusal> {
        self.reader.member_code_used(code)
    }

    fn next_member_number(&self, lane: u8) -> Result<u32, Refusal> {
        self.reader.next_member_number(lane)
    }

    fn sale(&self, receipt: DocNo) -> Result<Option<StoredSale>, Refusal> {
        self.reader.sale(receipt)
    }

    fn sale_of_formal(&self, number: DocNo) -> Result<Option<StoredSale>, Refusal> {
        self.reader.sale_of_formal(number)
    }

    fn tax_free_record(&self, number: DocNo) -> Result<Option<Kept>, Refusal> {
        self.reader.tax_free_record(number)
    }

    fn tax_free_of(&self, receipt: DocNo) -> Result<Vec<Kept>, Refusal> {
        self.reader.tax_free_of(receipt)
    }

    fn pin(&self, staff: u32, pin: Option<&Pin>) -> Result<PinVerdict, Refusal> {
        match self.compared {
            Some(compared) if compared.staff == staff && pin.is_some() => Ok(compared.verdict),
            _ => self.reader.pin(staff, pin),
        }
    }
}
