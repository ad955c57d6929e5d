//! Members' rows made ready for the tables while their file is read, so that the fold need not read
//! the journal's entries again: prove, decode and open each.
//!
//! Room: store. May touch: memory. May not: clock, chance.
//! Invariant: a row here is what its entry in the journal would be made into; whoever has lost the one
//! takes the other.

use super::codec::Encoded;
use super::fault::StoreError;
use super::members::{CardOf, Keys, Lent, Start, packed_row};
use crate::domain::texts::Texts;

/// Bytes of a row, so that they are seldom moved.
const USUAL_ROW_BYTES: usize = 240;
/// Texts of a row: its code, and those by which a member is found.
const TEXTS: usize = 6;

/// The rows of one entry in a few pieces of memory: a million members would be ten million otherwise.
#[derive(Debug, Default)]
pub struct Readied {
    /// As many a row.
    texts: Texts,
    packed: Vec<u8>,
    rows: Vec<Row>,
    /// Of the last row: its texts, and its personal data.
    keys: Keys,
    personal: Encoded,
}

#[derive(Debug)]
struct Row {
    /// Where its packed bytes end.
    packed: usize,
    is_erased: bool,
    start: Option<Start>,
}

impl Readied {
    /// Begins with room for so many rows as they usually are.
    pub fn for_as_many(rows: usize) -> Self {
        Self {
            texts: Texts::for_as_many(rows * TEXTS),
            packed: Vec::with_capacity(rows * USUAL_ROW_BYTES),
            rows: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    pub fn push(&mut self, card: CardOf<'_>, start: Option<Start>) -> Result<(), StoreError> {
        if let Some(personal) = card.personal {
            self.personal.set(personal)?;
            self.keys.set(personal);
        }
        let personal = card.personal.map(|_| &self.personal);
        packed_row(&mut self.packed, card, personal, start)?;
        self.texts.push(card.code);
        let keys = card.personal.map(|_| self.keys.texts()).unwrap_or_default();
        keys.iter().for_each(|text| self.texts.push(text));
        let (packed, is_erased) = (self.packed.len(), card.personal.is_none());
        self.rows.push(Row { packed, is_erased, start });
        Ok(())
    }

    /// Returns the personal data of the last row that had any.
    pub fn last_personal(&self) -> &Encoded {
        &self.personal
    }

    /// How many there are.
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Returns the rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Lent<'_>> {
        let begins = std::iter::once(0).chain(self.rows.iter().map(|row| row.packed));
        begins.zip(&self.rows).enumerate().map(|(place, (begin, row))| {
            let text = |nth| self.texts.at(place * TEXTS + nth);
            let keys = (!row.is_erased).then(|| [1, 2, 3, 4, 5].map(text));
            Lent { code: text(0), packed: &self.packed[begin..row.packed], keys, start: row.start }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::Personal;
    use crate::store::codec::unpack;
    use crate::store::members::Facts;

    type Unpacked = ((String, String, Option<i32>, Option<Personal>), Facts);

    #[test]
    fn rows_come_out_as_they_went_in() {
        let somebody =
            Personal { name: "髙橋 花子".into(), mail: "A@b.jp".into(), ..Personal::default() };
        let nobody = Personal::default();
        let mut rows = Readied::for_as_many(1);
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
}
