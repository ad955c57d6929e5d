//! What a shop must be, by everything that was acknowledged: plain sums that know nothing of a store.
//!
//! Room: tests. May touch: nothing.
//! Invariant: changed only by a step that was answered; two books are equal when a customer, a member
//! and a tax inspector could not tell them apart.

use std::collections::BTreeMap;

use super::step::Step;

/// A line of a cart or of a closed sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    pub code: String,
    /// Below zero for goods that come back.
    pub quantity: i64,
    pub price: i64,
    /// The sale and line (from 0) that it was sold on.
    pub of: Option<(usize, usize)>,
}

impl Rung {
    pub fn amount(&self) -> i64 {
        self.quantity * self.price
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basket {
    pub lines: Vec<Rung>,
    /// Pieces keyed for the next line; 0 for none.
    pub times: i64,
    pub member: Option<String>,
    pub used: i64,
}

impl Basket {
    pub fn total(&self) -> i64 {
        self.lines.iter().map(Rung::amount).sum::<i64>() - self.used
    }

    pub fn returns(&self) -> Option<usize> {
        self.lines.first().and_then(|line| line.of).map(|(sale, _)| sale)
    }
}

/// A closed sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    pub basket: Basket,
    pub total: i64,
    pub in_cash: bool,
    pub voided: bool,
    /// Pieces that came back, by line.
    pub back: Vec<i64>,
    pub copies: u32,
}

impl Sold {
    /// What is still with the customer is worth this.
    fn kept(&self) -> i64 {
        let back: i64 = self.basket.lines.iter().zip(&self.back).map(|(l, n)| n * l.price).sum();
        self.total - back
    }

    pub fn is_return(&self) -> bool {
        self.basket.returns().is_some()
    }
}

/// Yen for a point.
const POINT_YEN: i64 = 100;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    pub prices: BTreeMap<String, i64>,
    pub stock: BTreeMap<String, i64>,
    /// Members' balances and phones.
    pub members: BTreeMap<String, (i64, String)>,
    pub sales: Vec<Sold>,
    /// Sales before this one are of a closed day.
    pub day_from: usize,
    /// Cash that should be in the drawer; `None` while no day is open.
    pub cash: Option<i64>,
    /// Net of the open day, and of all closed ones.
    pub net: i64,
    pub grand_total: i64,
    pub closes: u32,
    pub parked: BTreeMap<u32, Basket>,
    pub slips: u32,
    /// Rows that came in and are not yet closed by their import's last entry.
    pub coming: Vec<(String, i64)>,
    pub cart: Basket,
}

impl Books {
    /// Everything that is on record: all but the open cart and what nobody may see yet.
    pub fn on_record(&self) -> Self {
        Self { cart: Basket::default(), coming: Vec::new(), day_from: 0, ..self.clone() }
    }

    /// Notes that a step was answered. `made` is the code of a member that was registered.
    pub fn note(&mut self, step: &Step, made: Option<&str>) {
        match step {
            Step::Times(pieces) => self.cart.times = i64::from(*pieces),
            Step::Scan(code) => {
                let (code, price) = (code.clone(), self.prices[code]);
                let quantity = std::mem::take(&mut self.cart.times).max(1);
                self.cart.lines.push(Rung { code, quantity, price, of: None });
            }
            Step::VoidLine => drop(self.cart.lines.pop()),
            Step::Member(code) => self.cart.member = Some(code.clone()),
            Step::UsePoints(points) => self.cart.used = *points,
            Step::Cash | Step::Credit => self.sold(*step == Step::Cash),
            Step::Park => {
                self.slips += 1;
                self.parked.insert(self.slips, std::mem::take(&mut self.cart));
            }
            Step::TakeBack(slip) => self.cart = self.parked.remove(slip).expect("a slip"),
            Step::GiveUp => self.cart = Basket::default(),
            Step::VoidReceipt(sale) => self.undone(*sale),
            Step::Return { sale, line, quantity } => {
                let sold = &self.sales[*sale];
                let quantity = -i64::from(*quantity);
                let rung =
                    Rung { quantity, of: Some((*sale, *line)), ..sold.basket.lines[*line].clone() };
                self.cart.member.clone_from(&sold.basket.member);
                self.cart.lines.push(rung);
            }
            Step::Reprint(sale) => self.sales[*sale].copies += 1,
            Step::PaidIn(amount) => self.cash = Some(self.cash.unwrap_or(0) + amount),
            Step::PaidOut(amount) => self.cash = Some(self.cash.unwrap_or(0) - amount),
            Step::Close => {
                self.grand_total += std::mem::take(&mut self.net);
                self.closes += 1;
                self.cash = None;
                self.day_from = self.sales.len();
            }
            Step::Price { code, yen } => {
                self.prices.insert(code.clone(), *yen);
            }
            Step::Enrol { phone } => {
                let code = made.expect("a member has a code").to_owned();
                self.members.insert(code.clone(), (0, phone.clone()));
                self.cart.member = Some(code);
            }
            Step::Phone(phone) => {
                let code = self.cart.member.clone().expect("a member");
                self.members.get_mut(&code).expect("on file").1.clone_from(phone);
            }
            Step::BringIn(rows) => self.coming.extend(rows.iter().cloned()),
            Step::EndImport => self.prices.extend(std::mem::take(&mut self.coming)),
            Step::CountStock { code, pieces } => {
                self.stock.insert(code.clone(), *pieces);
            }
            Step::ClearMember => self.cart.member = None,
            Step::NoSale | Step::Look | Step::SyncCart | Step::Idle | Step::Restart => {}
            Step::Backup | Step::RestoreDrill | Step::Compact => {}
        }
    }

    fn sold(&mut self, in_cash: bool) {
        // A quantity keyed for a next item that never came ends with the sale.
        let basket = Basket { times: 0, ..std::mem::take(&mut self.cart) };
        let total = basket.total();
        self.count(&basket, total, in_cash, 1);
        if let Some(code) = &basket.member {
            let earned = match basket.returns() {
                None => total / POINT_YEN,
                Some(_) => 0,
            };
            self.members.get_mut(code).expect("on file").0 += earned - basket.used;
        }
        self.goods_back(&basket);
        let back = vec![0; basket.lines.len()];
        self.sales.push(Sold { basket, total, in_cash, voided: false, back, copies: 0 });
    }

    /// Notes goods that came back on their sale, and takes back what they had earned.
    fn goods_back(&mut self, basket: &Basket) {
        let Some(sale) = basket.returns() else { return };
        let before = self.sales[sale].kept() / POINT_YEN;
        for line in &basket.lines {
            let (_, place) = line.of.expect("a return has nothing else");
            self.sales[sale].back[place] -= line.quantity;
        }
        let taken = before - self.sales[sale].kept() / POINT_YEN;
        if let Some(code) = &basket.member {
            self.members.get_mut(code).expect("on file").0 -= taken;
        }
    }

    fn count(&mut self, basket: &Basket, total: i64, in_cash: bool, sign: i64) {
        let cash = if in_cash { sign * total } else { 0 };
        self.cash = Some(self.cash.unwrap_or(0) + cash);
        self.net += sign * total;
        for line in &basket.lines {
            *self.stock.entry(line.code.clone()).or_default() -= sign * line.quantity;
        }
    }

    fn undone(&mut self, sale: usize) {
        let sold = self.sales[sale].clone();
        self.count(&sold.basket, sold.total, sold.in_cash, -1);
        if let Some(code) = &sold.basket.member {
            let earned = sold.total / POINT_YEN;
            self.members.get_mut(code).expect("on file").0 -= earned - sold.basket.used;
        }
        self.sales[sale].voided = true;
    }

    /// Returns the paper number of a sale: receipts and returns count apart.
    pub fn number(&self, sale: usize) -> String {
        let kind = self.sales[sale].is_return();
        let number = self.sales[..=sale].iter().filter(|sold| sold.is_return() == kind).count();
        if kind { format!("01-R{number:06}") } else { format!("01-{number:06}") }
    }
}
