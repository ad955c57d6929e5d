//! What the drawer's sensor means: an opening with an order, one without, one that lasts.
//!
//! Room: app. May touch: the times it is handed. May not: open anything.
//! Invariant: an opening is told at most once as unasked, and at most once as too long.

use std::time::{Duration, Instant};

/// An opening this long after an order is the order's. A sensor that must be asked is seen a second
/// late.
const ORDER: Duration = Duration::from_millis(2_000);

/// What staff must hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawerAlarm {
    /// It opened, and the register had not ordered it.
    Unasked,
    /// It stands open.
    LeftOpen,
}

/// One drawer and its sensor.
#[derive(Debug)]
pub struct DrawerWatch {
    read: bool,
    too_long: Duration,
    ordered: Option<Instant>,
    open: Option<bool>,
    since: Option<Instant>,
}

impl DrawerWatch {
    pub fn new(read: bool, too_long_seconds: u16) -> Self {
        let too_long = Duration::from_secs(too_long_seconds.into());
        Self { read, too_long, ordered: None, open: None, since: None }
    }

    pub fn is_read(&self) -> bool {
        self.read
    }

    pub fn is_open(&self) -> Option<bool> {
        self.open.filter(|_| self.read)
    }

    /// The register's pulse leaves now.
    pub fn ordered(&mut self, now: Instant) {
        self.ordered = Some(now);
    }

    /// The sensor says so. What it says first is how the drawer stood before the register came.
    pub fn seen(&mut self, open: bool, now: Instant) -> Option<DrawerAlarm> {
        let before = self.open.replace(open);
        self.since = open.then_some(now);
        let ordered = self.ordered.take_if(|at| open || now.duration_since(*at) > ORDER);
        let asked = ordered.is_some_and(|at| now.duration_since(at) <= ORDER);
        let opened = before == Some(false) && open;
        (self.read && opened && !asked).then_some(DrawerAlarm::Unasked)
    }

    /// Returns how long until it has stood open for too long.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let since = self.since.filter(|_| self.read)?;
        Some((since + self.too_long).saturating_duration_since(now))
    }

    pub fn tick(&mut self, now: Instant) -> Option<DrawerAlarm> {
        if self.left(now) != Some(Duration::ZERO) {
            return None;
        }
        self.since = None;
        Some(DrawerAlarm::LeftOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> (DrawerWatch, Instant) {
        let mut watch = DrawerWatch::new(true, 60);
        let now = Instant::now();
        assert_eq!(watch.seen(false, now), None, "how it stood before");
        (watch, now)
    }

    #[test]
    fn one_order_is_one_opening() {
        let ms = Duration::from_millis;
        for (ordered_ago, want) in [
            (Some(ms(100)), None),
            (Some(ms(1_900)), None),
            (Some(ms(2_100)), Some(DrawerAlarm::Unasked)),
            (None, Some(DrawerAlarm::Unasked)),
        ] {
            let (mut watch, now) = watch();
            if let Some(ago) = ordered_ago {
                watch.ordered(now);
                assert_eq!(watch.seen(true, now + ago), want, "{ordered_ago:?}");
            } else {
                assert_eq!(watch.seen(true, now), want);
            }
            let later = now + ms(2_500);
            assert_eq!(watch.seen(true, later), None, "it is the same opening");
            assert_eq!(watch.seen(false, later), None);
            assert_eq!(watch.seen(true, later), Some(DrawerAlarm::Unasked), "the order is used up");
        }
    }

    #[test]
    fn a_drawer_left_open_is_said_once_an_opening() {
        let (mut watch, now) = watch();
        watch.ordered(now);
        watch.seen(true, now);
        let minute = now + Duration::from_secs(60);
        assert_eq!(watch.left(now), Some(Duration::from_secs(60)));
        assert_eq!(watch.tick(minute - Duration::from_millis(1)), None);
        assert_eq!(watch.tick(minute), Some(DrawerAlarm::LeftOpen));
        assert_eq!(watch.tick(minute), None);
        watch.seen(false, minute);
        assert_eq!(watch.left(minute), None);
    }

    #[test]
    fn a_sensor_nobody_wired_says_nothing() {
        let mut watch = DrawerWatch::new(false, 60);
        let now = Instant::now();
        watch.seen(false, now);
        assert_eq!(watch.seen(true, now), None);
        assert_eq!((watch.left(now), watch.is_open()), (None, None));
    }
}
