//! Members' rows made ready for the tables while their file is read, so that the fold need not read
//! the journal's entries again: prove, decode and open each.
//!
//! Room: store. May touch: memory. May not: clock, chance.
//! Invariant: a row here is what its entry in the journal would be made into; whoever has lost the one
//! takes the other.

use super::codec::Encoded;
use super::fault::StoreError;
use super::members::{CardOf, Keys, Lent, Start, packed_row};

/// Bytes of a row, and of the texts by which a member is found, so that they are seldom moved.
const USUAL_ROW_BYTES: usize = 240;
const USUAL_TEXT_BYTES: usize = 120;

/// The rows of one entry in a few pieces of memory: a million members would be ten million otherwise.
#[derive(Debug, Default)]
pub struct Readied {
    texts: String,
    packed: Vec<u8>,
    places: Vec<Place>,
    /// Of the last row: its texts, and its personal data.
    keys: Keys,
    personal: Encoded,
}

/// A row: where its code, its texts and its packed bytes end.
#[derive(Debug)]
struct Place {
    code: usize,
    /// `None` once erased.
    keys: Option<[usize; 5]>,
    packed: usize,
    start: Option<Start>,
}

impl Place {
    fn texts_end(&self) -> usize {
        self.keys.map_or(self.code, |ends| ends[4])
    }
}

impl Readied {
    /// Begins with room for so many rows as they usually are.
    pub fn for_as_many(rows: usize) -> Self {
        Self {
            texts: String::with_capacity(rows * USUAL_TEXT_BYTES),
            packed: Vec::with_capacity(rows * USUAL_ROW_BYTES),
            places: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    pub fn push(&mut self, card: CardOf<'_>, start: Option<Start>) -> Result<(), StoreError> {
        if let Some(personal) = card.personal {
            self.personal.set(personal)?;
        }
        let personal = card.personal.map(|_| &self.personal);
        packed_row(&mut self.packed, card, personal, start)?;
        self.texts.push_str(card.code);
        let code = self.texts.len();
        let keys = card.personal.map(|personal| {
            self.keys.set(personal);
            self.keys.texts().map(|text| {
                self.texts.push_str(text);
                self.texts.len()
            })
        });
        self.places.push(Place { code, keys, packed: self.packed.len(), start });
        Ok(())
    }

    /// Returns the personal data of the last row that had any.
    pub fn last_personal(&self) -> &Encoded {
        &self.personal
    }

    /// How many there are.
    pub fn rows(&self) -> u64 {
        self.places.len() as u64
    }

    /// Returns the rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Lent<'_>> {
        let begins = self.places.iter().map(|place| (place.texts_end(), place.packed));
        let begins = std::iter::once((0, 0)).chain(begins);
        begins.zip(&self.places).map(|((text, packed), place)| {
            let mut from = place.code;
            let keys = place
                .keys
                .map(|ends| ends.map(|end| &self.texts[std::mem::replace(&mut from, end)..end]));
            let (code, packed) =
                (&self.texts[text..place.code], &self.packed[packed..place.packed]);
            Lent { code, packed, keys, start: place.start }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::Personal;
    use crate::store::codec::unpack;
    use crate::store::members::Facts;

    type Row = ((String, String, Option<i32>, Option<Personal>), Facts);

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
        let packed: Vec<_> = rows.iter().map(|row| unpack::<Row>(row.packed).unwrap()).collect();
        assert_eq!(packed[0].0, ("m1".into(), "gold".into(), None, Some(somebody)));
        assert_eq!(packed[1].0, ("m2".into(), "gold".into(), None, None));
    }
}
