//! Many short texts in two pieces of memory: a million codes apart would take ten times the room.
//!
//! Room: domain. May touch: std.
//! Invariant: texts keep their places; together they are shorter than 4 GB.

/// Texts by place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    all: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Texts {
    /// Begins with room for so many.
    pub fn for_as_many(texts: usize) -> Self {
        Self { all: String::new(), ends: Vec::with_capacity(texts) }
    }

    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(u32::try_from(self.all.len()).expect("shorter than 4 GB"));
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the text at a place from 0; there must be one.
    pub fn at(&self, place: usize) -> &str {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.all[from..self.ends[place] as usize]
    }

    pub fn last(&self) -> Option<&str> {
        self.len().checked_sub(1).map(|place| self.at(place))
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|place| self.at(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_where_they_were_put() {
        let mut texts = Texts::default();
        assert_eq!((texts.last(), texts.is_empty()), (None, true));
        ["あ", "", "bc"].iter().for_each(|text| texts.push(text));
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["あ", "", "bc"]);
        assert_eq!((texts.at(1), texts.last(), texts.len()), ("", Some("bc"), 3));
    }
}
