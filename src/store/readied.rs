//! Rows made ready for the tables while their file is read, so that the fold need not read the journal's
//! entries again: prove, decode and open each; nor encode and spell them on its one thread.
//!
//! Room: store. May touch: memory. May not: clock, chance.
//! Invariant: a row here is what its entry in the journal would be made into; whoever has lost the one
//! takes the other.

use super::codec::{self, Encoded};
use super::fault::StoreError;
use super::{items, members};
use crate::domain::item::Item;
use crate::domain::quantity::Quantity;
use crate::domain::texts::Texts;

/// Bytes of a member's row and of an item, so that they are seldom moved.
const USUAL_ROW_BYTES: usize = 240;

/// The rows of one entry in a few pieces of memory: a million members would be ten million otherwise.
#[derive(Debug)]
struct Flat<const TEXTS: usize, More> {
    /// As many a row.
    texts: Texts,
    packed: Vec<u8>,
    /// Where the packed bytes of each end, and what else belongs to it.
    rows: Vec<(usize, More)>,
}

impl<const TEXTS: usize, More> Default for Flat<TEXTS, More> {
    fn default() -> Self {
        Self { texts: Texts::default(), packed: Vec::new(), rows: Vec::new() }
    }
}

impl<const TEXTS: usize, More: Copy> Flat<TEXTS, More> {
    fn for_as_many(rows: usize) -> Self {
        Self {
            texts: Texts::for_as_many(rows * TEXTS),
            packed: Vec::with_capacity(rows * USUAL_ROW_BYTES),
            rows: Vec::with_capacity(rows),
        }
    }

    /// Ends the row whose packed bytes were put behind the others.
    fn end(&mut self, texts: [&str; TEXTS], more: More) {
        texts.iter().for_each(|text| self.texts.push(text));
        self.rows.push((self.packed.len(), more));
    }

    fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    fn iter(&self) -> impl Iterator<Item = ([&str; TEXTS], &[u8], More)> {
        let begins = std::iter::once(0).chain(self.rows.iter().map(|(end, _)| *end));
        begins.zip(&self.rows).enumerate().map(|(place, (begin, (end, more)))| {
            let texts = std::array::from_fn(|nth| self.texts.at(place * TEXTS + nth));
            (texts, &self.packed[begin..*end], *more)
        })
    }
}

/// Members' rows.
#[derive(Debug, Default)]
pub struct Members {
    /// The code, and the texts by which each is found.
    rows: Flat<6, (IsErased, Option<members::Start>)>,
    /// Of the last row: its texts, and its personal data.
    keys: members::Keys,
    personal: Encoded,
}

type IsErased = bool;

impl Members {
    /// Begins with room for so many as they usually are.
    pub fn for_as_many(rows: usize) -> Self {
        Self { rows: Flat::for_as_many(rows), ..Self::default() }
    }

    pub fn push(
        &mut self,
        card: members::CardOf<'_>,
        start: Option<members::Start>,
    ) -> Result<(), StoreError> {
        if let Some(personal) = card.personal {
            self.personal.set(personal)?;
            self.keys.set(personal);
        }
        let personal = card.personal.map(|_| &self.personal);
        members::packed_row(&mut self.rows.packed, card, personal, start)?;
        let [kana, loose, phone, mail, name] =
            card.personal.map(|_| self.keys.texts()).unwrap_or_default();
        let more = (card.personal.is_none(), start);
        self.rows.end([card.code, kana, loose, phone, mail, name], more);
        Ok(())
    }

    /// Returns the personal data of the last row that had any.
    pub fn last_personal(&self) -> &Encoded {
        &self.personal
    }

    pub fn count(&self) -> u64 {
        self.rows.count()
    }

    /// Returns the rows in order.
    pub fn iter(&self) -> impl Iterator<Item = members::Lent<'_>> {
        self.rows.iter().map(|([code, keys @ ..], packed, (is_erased, start))| {
            let keys = (!is_erased).then_some(keys);
            members::Lent { code, packed, keys, start }
        })
    }
}

/// Items' rows.
#[derive(Debug, Default)]
pub struct Items {
    /// The code, and the texts by which each is found.
    rows: Flat<5, Option<Quantity>>,
    /// Of the last row.
    keys: items::Keys,
    /// Some stand under another spelling of their code than they were given with.
    is_respelled: bool,
}

impl Items {
    pub fn of(items: &[Item]) -> Result<Self, StoreError> {
        let mut rows = Self { rows: Flat::for_as_many(items.len()), ..Self::default() };
        items.iter().try_for_each(|item| rows.push(item))?;
        Ok(rows)
    }

    fn push(&mut self, item: &Item) -> Result<(), StoreError> {
        let code = items::stored_code(&item.code);
        match code == item.code {
            true => codec::encode_onto(&mut self.rows.packed, item)?,
            false => {
                self.is_respelled = true;
                let item = Item { code: code.clone(), ..item.clone() };
                codec::encode_onto(&mut self.rows.packed, &item)?;
            }
        }
        self.keys.set(item);
        let [kana, loose, name, case] = self.keys.texts();
        self.rows.end([&code, kana, loose, name, case], item.stock);
        Ok(())
    }

    pub fn count(&self) -> u64 {
        self.rows.count()
    }

    /// Returns the items as they were given, encoded one after the other; `None` when some were changed.
    pub fn as_given(&self) -> Option<&[u8]> {
        (!self.is_respelled).then_some(&self.rows.packed)
    }

    /// Returns the rows in order.
    pub fn iter(&self) -> impl Iterator<Item = items::Lent<'_>> {
        self.rows.iter().map(|([code, keys @ ..], encoded, stock)| items::Lent {
            code,
            encoded,
            keys,
            stock,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::Personal;
    use crate::store::codec::unpack;
    use crate::store::members::{CardOf, Facts, Start};

    type Unpacked = ((String, String, Option<i32>, Option<Personal>), Facts);

    #[test]
    fn members_come_out_as_they_went_in() {
        let somebody =
            Personal { name: "髙橋 花子".into(), mail: "A@b.jp".into(), ..Personal::default() };
        let nobody = Personal::default();
        let mut rows = Members::for_as_many(1);
        let start = Some(Start { day: 7, points: -3 });
        let card = |code, personal| CardOf { code, rank: "gold", joined: None, personal };
        rows.push(card("m1", Some(&somebody)), start).unwrap();
        rows.push(card("m2", None), None).unwrap();
        rows.push(card("m3", Some(&nobody)), None).unwrap();
        let all: Vec<_> = rows.iter().map(|row| (row.code, row.keys, row.start)).collect();
        let keys = ["髙橋花子", "髙橋花子", "", "a@b.jp", "高橋花子"];
        assert_eq!(
            all,
            [("m1", Some(keys), start), ("m2", None, None), ("m3", Some([""; 5]), None)]
        );
        let packed: Vec<_> =
            rows.iter().map(|row| unpack::<Unpacked>(row.packed).unwrap()).collect();
        assert_eq!(packed[0].0, ("m1".into(), "gold".into(), None, Some(somebody)));
        assert_eq!(packed[1].0, ("m2".into(), "gold".into(), None, None));
    }

    #[test]
    fn items_come_out_as_they_went_in() {
        let mut milk = Item::new("4901234567894", "牛乳 1L", 248.into());
        (milk.kana, milk.case_code) = ("ギュウニュウ".into(), "14901234567891".into());
        milk.stock = Some(12.into());
        let old = Item::new("１００１", "お茶", 98.into());
        let rows = Items::of(&[milk.clone(), old.clone()]).unwrap();
        assert!(rows.as_given().is_none(), "a code is spelled in another way");
        let all: Vec<_> = rows.iter().map(|row| (row.code, row.keys, row.stock)).collect();
        let keys = ["ぎゅうにゅう", "きゆにゆ", "牛乳1l", "14901234567891"];
        assert_eq!(
            all,
            [("4901234567894", keys, milk.stock), ("1001", ["お茶", "お茶", "お茶", ""], None)]
        );
        let stored = |row: items::Lent<'_>| {
            unpack::<(u32, Item)>(&codec::pack_with(&7_u32, row.encoded).unwrap()).unwrap()
        };
        let old = Item { code: "1001".into(), ..old };
        assert_eq!(rows.iter().map(stored).collect::<Vec<_>>(), [(7, milk), (7, old)]);
    }
}
