//! Finding members by whatever the customer says: a card, the end of a phone number, a name.
//!
//! Room: store. May touch: the member indexes, to read.
//! Invariant: what is typed decides where to look; exact hits come first, then who was here last.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use redb::ReadTransaction;

use super::fault::StoreError;
use super::items::{folded_name, kana_queries};
use super::members::{Rows, reversed};
use super::name_blocks;
use super::postings;
use super::tables::{
    MEMBER_CODES, MEMBER_KANA, MEMBER_LOOSE, MEMBER_MAILS, MEMBER_NAMES, MEMBER_PHONES, Postings,
};
use super::visits::LastVisits;
use crate::domain::kana::{exact_key, loose_key};
use crate::domain::member::Member;
use crate::domain::phone::Phone;
use crate::domain::text::halfwidth_digits;

/// The fewest digits of a phone number's end that are looked for.
const FEWEST_DIGITS: usize = 4;

/// How well a row answers, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Fit {
    Exact,
    Begins,
    Near,
}

/// Returns the first `limit` members for a text, best first. When more than these are found, the text
/// is too short to choose by: then they come by name, and nobody is ranked.
///
/// Digits that end somebody's phone number are looked for nowhere else: customers say the end, and
/// reading all numbers costs a hundred times as much. `paged`, which people look at, has them all.
pub fn quick(txn: &ReadTransaction, text: &str, limit: usize) -> Result<Vec<Member>, StoreError> {
    let mut hits = matching(txn, text, limit.saturating_add(1))?.found;
    hits.sort_by_key(|(fit, _)| *fit); // Stable.
    let too_many = hits.len() > limit;
    hits.truncate(limit);
    let rows = Rows::open(txn)?;
    let mut found = Vec::with_capacity(hits.len());
    for (fit, id) in hits {
        found.extend(rows.member(id)?.map(|member| (fit, member)));
    }
    if !too_many {
        found.sort_by_key(|(fit, member)| (*fit, Reverse(member.last_visit)));
    }
    Ok(found.into_iter().map(|(_, member)| member).collect())
}

/// Returns how many members a text finds in all, and one page of them, best first.
pub fn paged(
    txn: &ReadTransaction,
    text: &str,
    offset: usize,
    limit: usize,
) -> Result<(usize, Vec<Member>), StoreError> {
    let hits = matching(txn, text, usize::MAX)?;
    let total = hits.found.len();
    let ids = best(txn, hits, offset.saturating_add(limit))?;
    let rows = Rows::open(txn)?;
    let page: Result<_, StoreError> =
        ids.into_iter().skip(offset).filter_map(|id| rows.member(id).transpose()).collect();
    Ok((total, page?))
}

/// Returns the first `count` ids, best first. A part of a name may find a fifth of all members: only
/// those that are shown are held and put in order.
fn best(txn: &ReadTransaction, hits: Hits, count: usize) -> Result<Vec<u32>, StoreError> {
    let rising = hits.found.is_sorted_by_key(|(_, id)| *id);
    let mut last = LastVisits::new(txn, hits.found.len(), rising)?;
    let mut best = BinaryHeap::with_capacity(count.min(hits.found.len()) + 1);
    for (place, (fit, id)) in hits.found.into_iter().enumerate() {
        // Within one day as the index had them: by name.
        let rank = (fit, Reverse(last.of(id)?), place, id);
        if best.len() < count {
            best.push(rank);
        } else if let Some(mut worst) = best.peek_mut()
            && rank < *worst
        {
            *worst = rank;
        }
    }
    Ok(best.into_sorted_vec().into_iter().map(|(.., id)| id).collect())
}

/// Ids found so far, each once and at its best.
struct Hits {
    found: Vec<(Fit, u32)>,
    seen: Seen,
    most: usize,
}

impl Hits {
    fn add(&mut self, fit: Fit, id: u32) -> ControlFlow<()> {
        if self.found.len() >= self.most {
            return ControlFlow::Break(());
        }
        if self.seen.is_new(id) {
            self.found.push((fit, id));
        }
        ControlFlow::Continue(())
    }
}

/// One bit an id: 125 KB for a million members.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    /// Returns whether the id comes for the first time.
    fn is_new(&mut self, id: u32) -> bool {
        let (word, bit) = ((id / 64) as usize, 1 << (id % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }
}

fn matching(txn: &ReadTransaction, text: &str, most: usize) -> Result<Hits, StoreError> {
    let mut hits = Hits { found: Vec::new(), seen: Seen::default(), most };
    let text = text.trim();
    // For codes, phones and mail only: in a name ー is a sound.
    let narrow = halfwidth_digits(text);
    if text.is_empty() {
        return Ok(hits);
    }
    if let Some(id) = postings::one(&txn.open_table(MEMBER_CODES)?, &narrow)? {
        let _ = hits.add(Fit::Exact, id);
    }
    match Shape::of(&narrow) {
        Shape::Mail => index(txn, MEMBER_MAILS, &narrow.to_lowercase(), Fit::Begins, &mut hits)?,
        Shape::Digits => {
            let said = narrow.parse().map_or_else(|_| narrow.to_string(), Phone::into_digits);
            let digits = reversed(&said);
            if digits.len() >= FEWEST_DIGITS {
                index(txn, MEMBER_PHONES, &digits, Fit::Begins, &mut hits)?;
                if hits.found.is_empty() || most == usize::MAX {
                    anywhere(txn, MEMBER_PHONES, &digits, &mut hits)?;
                }
            }
        }
        Shape::Kana => {
            for key in kana_queries(text) {
                index(txn, MEMBER_KANA, &exact_key(&key), Fit::Begins, &mut hits)?;
                index(txn, MEMBER_LOOSE, &loose_key(&key), Fit::Near, &mut hits)?;
            }
            // What sounds like nobody may be spelled: a mail address, a second name in Latin letters.
            if hits.found.is_empty() {
                index(txn, MEMBER_MAILS, &narrow.to_lowercase(), Fit::Near, &mut hits)?;
                name_part(txn, text, &mut hits)?;
            }
        }
        Shape::Name => name_part(txn, text, &mut hits)?,
    }
    Ok(hits)
}

fn name_part(txn: &ReadTransaction, text: &str, hits: &mut Hits) -> Result<(), StoreError> {
    let names = txn.open_table(MEMBER_NAMES)?;
    let part = folded_name(text);
    if hits.most == usize::MAX {
        let all = name_blocks::all(&names, &part)?;
        let _ = all.into_iter().try_for_each(|id| hits.add(Fit::Begins, id));
        return Ok(());
    }
    name_blocks::scan(&names, &part, |id| hits.add(Fit::Begins, id))
}

/// Takes what holds `key` somewhere; the whole index is read for it.
fn anywhere(
    txn: &ReadTransaction,
    table: Postings,
    key: &str,
    hits: &mut Hits,
) -> Result<(), StoreError> {
    let key = memchr::memmem::Finder::new(key);
    postings::scan(&txn.open_table(table)?, "", |found, id| match key.find(found) {
        Some(_) => hits.add(Fit::Near, id),
        None => ControlFlow::Continue(()),
    })
}

/// Takes what begins with `key` from an index; the whole key is an exact hit.
fn index(
    txn: &ReadTransaction,
    table: Postings,
    key: &str,
    fit: Fit,
    hits: &mut Hits,
) -> Result<(), StoreError> {
    if key.is_empty() {
        return Ok(());
    }
    postings::scan(&txn.open_table(table)?, key, |found, id| {
        let whole = found == key.as_bytes() && fit == Fit::Begins;
        hits.add(if whole { Fit::Exact } else { fit }, id)
    })
}

/// Where a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Digits,
    Mail,
    Kana,
    Name,
}

impl Shape {
    fn of(text: &str) -> Self {
        let digit = |sign: char| sign.is_ascii_digit() || " -+()".contains(sign);
        let sound = |sign: char| {
            matches!(sign, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '・' | 'ｦ'..='ﾟ' | '　' | ' ')
                || sign.is_ascii()
        };
        if text.contains('@') {
            Self::Mail
        } else if text.chars().all(digit) {
            Self::Digits
        } else if text.chars().all(sound) {
            Self::Kana
        } else {
            Self::Name
        }
    }
}
