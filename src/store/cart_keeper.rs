//! The open cart on its way to the scratch file, as small changes.
//!
//! Room: store. May touch: `cart.log` through its module. May not: sync on the key path.
//! Invariant: replaying the changes in order gives the last cart that was kept; a change that was cut
//! in half gives the one before.
//!
//! ```text
//! change   u32 LE bytes kept from the front · u32 LE bytes kept from the end · what stands between
//! ```

use std::io;

use super::cart_log::{CartLog, MAX_CHANGE};
use super::chain::Head;
use super::codec;
use super::fault::StoreError;
use crate::domain::register::Cart;

const PREFIX: usize = 8;

/// Writes carts as what changed since the one before.
#[derive(Debug)]
pub struct CartKeeper {
    log: CartLog,
    last: Vec<u8>,
}

impl CartKeeper {
    /// Takes up keeping behind the changes that the file held.
    pub fn new(log: CartLog, changes: &[Vec<u8>]) -> (Self, Cart) {
        let (last, cart) = replay(changes);
        (Self { log, last }, cart)
    }

    /// Writes a cart before it is shown: no sync. `head` is the journal's, noted with an empty cart.
    pub fn keep(&mut self, cart: &Cart, head: Head) -> Result<(), StoreError> {
        if cart.is_empty() {
            self.last.clear();
            return Ok(self.log.empty(head)?);
        }
        let bytes = codec::pack(cart)?;
        if bytes == self.last {
            return Ok(());
        }
        let written = self.write(&bytes);
        // What stands there after a failure is not known: the next change says all.
        self.last = if written.is_ok() { bytes } else { Vec::new() };
        Ok(written?)
    }

    /// Writes the difference, in as many changes as it takes; only the last one gives a whole cart.
    fn write(&self, new: &[u8]) -> io::Result<()> {
        let old = &self.last;
        let front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let most = old.len().min(new.len()) - front;
        let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b);
        let end = end.count();
        let mut written = front;
        for part in new[front..new.len() - end].chunks(MAX_CHANGE - PREFIX) {
            self.log.write(&change(written, end, part))?;
            written += part.len();
        }
        if written == front {
            self.log.write(&change(front, end, &[]))?; // Only something was taken away.
        }
        Ok(())
    }

    /// The file itself: to sync off the key path, to compact, to note print jobs.
    pub fn log(&self) -> &CartLog {
        &self.log
    }
}

fn change(front: usize, end: usize, middle: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + middle.len());
    bytes.extend_from_slice(&(front as u32).to_le_bytes());
    bytes.extend_from_slice(&(end as u32).to_le_bytes());
    bytes.extend_from_slice(middle);
    bytes
}

/// Returns the last whole cart that the changes give, and its bytes.
fn replay(changes: &[Vec<u8>]) -> (Vec<u8>, Cart) {
    let (mut bytes, mut whole) = (Vec::new(), (Vec::new(), Cart::default()));
    for change in changes {
        let Some(next) = applied(&bytes, change) else { break };
        bytes = next;
        if let Ok(cart) = codec::unpack(&bytes) {
            whole = (bytes.clone(), cart);
        }
    }
    whole
}

fn applied(old: &[u8], change: &[u8]) -> Option<Vec<u8>> {
    let at = |place: usize| {
        let bytes = change.get(place..place + 4)?.first_chunk().copied()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let (front, end) = (old.get(..at(0)?)?, old.len().checked_sub(at(4)?)?);
    Some([front, change.get(PREFIX..)?, &old[end..]].concat())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::domain::sale::SaleId;
    use crate::store::chain::Hash;
    use crate::store::files::Files;
    use crate::store::files::faulty::FaultyFiles;

    const HEAD: Head = Head { seq: 3, hash: Hash::from_bytes([1; 32]) };

    fn cart(note: &str) -> Cart {
        Cart { id: SaleId(7), note: note.to_owned(), ..Cart::default() }
    }

    #[test]
    fn the_last_cart_kept_is_the_one_that_comes_back() {
        let files: Arc<dyn Files> = Arc::new(FaultyFiles::new());
        let open = || CartLog::open(files.clone(), Path::new("/cart.log")).unwrap();
        let (mut keeper, _) = CartKeeper::new(open().0, &[]);
        let long = "牛乳".repeat(20_000);
        for note in ["a", "abc", "ac", "", &long, &long[3..], "xyz"] {
            keeper.keep(&cart(note), HEAD).unwrap();
            let (log, found) = open();
            let (again, back) = CartKeeper::new(log, &found.changes);
            assert_eq!(back, cart(note));
            keeper = again;
        }
        keeper.keep(&Cart::default(), HEAD).unwrap();
        let (log, found) = open();
        assert!(CartKeeper::new(log, &found.changes).1.is_empty());
    }

    #[test]
    fn a_change_of_one_letter_is_a_few_bytes() {
        let (old, new) = (codec::pack(&cart("abc")).unwrap(), codec::pack(&cart("abd")).unwrap());
        let front = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        // The letter and the checksum at the end: most of the cart is never written again.
        assert!(new.len() - front < 40);
    }
}
