//! One figure: what was promised, what was found, and whether a miss fails the run.
//!
//! Room: benches. May touch: nothing.

use std::fmt::Write;

/// What kind of truth a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Syncs, bytes, keys: the same on every machine. A miss fails the run.
    Count,
    /// A time or a ratio of times: the neighbours are in it. A miss is shown.
    Time,
}

#[derive(Debug, Clone)]
pub struct Figure {
    name: String,
    kind: Kind,
    unit: &'static str,
    most: f64,
    measured: f64,
    note: String,
}

impl Figure {
    /// A count that may be at most `most`.
    pub fn count(name: impl Into<String>, most: f64, measured: f64, unit: &'static str) -> Self {
        Self { name: name.into(), kind: Kind::Count, unit, most, measured, note: String::new() }
    }

    /// A time, or a ratio to a floor or peer of the same run, that may be at most `most`.
    pub fn time(name: impl Into<String>, most: f64, measured: f64, unit: &'static str) -> Self {
        Self { name: name.into(), kind: Kind::Time, unit, most, measured, note: String::new() }
    }

    /// Says what the figure was made of.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn is_met(&self) -> bool {
        self.measured <= self.most // False for NaN: what was not measured was not met.
    }

    /// Whether a miss of this figure is one of the run: that of a count, or any when times are meant too.
    pub fn fails_the_run(&self, times_too: bool) -> bool {
        (times_too || self.kind == Kind::Count) && !self.is_met()
    }

    fn row(&self) -> [String; 5] {
        let met = match (self.is_met(), self.kind) {
            (true, _) => "yes",
            (false, Kind::Time) => "no",
            (false, Kind::Count) => "NO",
        };
        [
            self.name.clone(),
            format!("<= {}{}", digits(self.most), self.unit),
            format!("{}{}", digits(self.measured), self.unit),
            met.to_owned(),
            self.note.clone(),
        ]
    }
}

/// Three significant digits, none after whole hundreds.
fn digits(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    let has_point = text.contains('.');
    if has_point { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Returns a group's figures as a table.
pub fn table(group: &str, figures: &[Figure]) -> String {
    let head = [group, "goal", "measured", "met", ""].map(str::to_owned);
    let rows: Vec<[String; 5]> =
        std::iter::once(head).chain(figures.iter().map(Figure::row)).collect();
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text.push_str(&row[4]);
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push('\n');
    text
}

/// Returns one line on all figures.
pub fn summary(figures: &[Figure]) -> String {
    let met = figures.iter().filter(|figure| figure.is_met()).count();
    let failed = figures.iter().filter(|figure| figure.fails_the_run(false)).count();
    format!("{met} of {} figures met; {failed} counts missed", figures.len())
}
