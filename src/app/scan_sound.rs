//! How a scan's answer sounds: by the sound card, or by rings of the terminal's bell.
//!
//! Room: app. May touch: the speaker's handle, a stopwatch. The bell itself is rung by the loop.
//! Invariant: the newest answer is the one heard; a ring that waits costs no thread.

use std::path::Path;
use std::time::{Duration, Instant};

use super::event::Event;
use super::inbox::EventSender;
use super::lane_config::{SoundBy, SoundConfig};
use crate::devices::scanner::Reject;
use crate::devices::sound::{Signal, Speaker, can_play};

/// Between two rings of a bell, so that they are two.
const REST: Duration = Duration::from_millis(180);
/// The player of ALSA, and where the system shows its sound cards.
const PLAYER: &str = "aplay";
const CARDS: &str = "/dev/snd";

/// What is to be heard, and by what.
pub struct ScanSound {
    config: SoundConfig,
    events: EventSender,
    speaker: Option<Speaker>,
    /// Tones are not tried any more.
    mute: bool,
    rings: u8,
    next: Instant,
}

impl ScanSound {
    /// Begins as the lane's settings say; a sound card that fails is told by `Event::Mute`.
    pub fn start(config: &SoundConfig, events: &EventSender) -> Self {
        let (config, events) = (config.clone(), events.clone());
        Self { config, events, speaker: None, mute: false, rings: 0, next: Instant::now() }
    }

    pub fn play(&mut self, signal: Signal) {
        let wanted = self.config.accepted || signal != Signal::Accepted;
        if self.config.by == SoundBy::Off || !wanted {
            return;
        }
        match self.speaker() {
            Some(speaker) => speaker.play(signal),
            None => {
                self.rings = signal.rings();
                self.next = Instant::now();
            }
        }
    }

    /// A sound card may be there later than the register: it is looked for until there is one.
    fn speaker(&mut self) -> Option<&Speaker> {
        let by_card = || match self.config.by {
            SoundBy::Wav => true,
            SoundBy::Auto => can_play(Path::new(CARDS), PLAYER),
            SoundBy::Bell | SoundBy::Off => false,
        };
        if self.speaker.is_none() && !self.mute && by_card() {
            let events = self.events.clone();
            let failed = move |signal| drop(events.send(Event::Mute(signal)));
            self.speaker = Speaker::start(PLAYER, failed).ok();
        }
        self.speaker.as_ref()
    }

    /// A scan that was dropped, for whatever reason: nobody looks at the screen while scanning on.
    pub fn reject(&mut self, why: Reject) {
        self.play(match why {
            Reject::Key | Reject::TooLong | Reject::Gap | Reject::Dropped | Reject::NoEnd => {
                Signal::Refused
            }
        });
    }

    /// The sound card does not play: the bell rings from here on, and for what was not heard.
    pub fn mute(&mut self, signal: Signal) {
        self.speaker = None;
        self.mute = true;
        self.play(signal);
    }

    /// Returns how long until the next ring, if there is one.
    pub fn next_ring(&self) -> Option<Duration> {
        (self.rings > 0).then(|| self.next.saturating_duration_since(Instant::now()))
    }

    /// Returns whether the bell is to ring now.
    pub fn take_ring(&mut self) -> bool {
        if self.next_ring() != Some(Duration::ZERO) {
            return false;
        }
        self.rings -= 1;
        self.next = Instant::now() + REST;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::inbox::Inbox;

    fn bell() -> SoundConfig {
        SoundConfig { by: SoundBy::Bell, accepted: false }
    }

    fn rings(sound: &mut ScanSound) -> u32 {
        let mut count = 0;
        while let Some(left) = sound.next_ring() {
            std::thread::sleep(left);
            count += u32::from(sound.take_ring());
        }
        count
    }

    #[test]
    fn answers_are_told_apart_by_their_rings_and_the_newest_wins() {
        let (events, _kept) = Inbox::new().unwrap();
        for (by, accepted, signal, want) in [
            (SoundBy::Bell, false, Signal::Accepted, 0),
            (SoundBy::Bell, true, Signal::Accepted, 1),
            (SoundBy::Bell, false, Signal::Unknown, 2),
            (SoundBy::Bell, false, Signal::Refused, 3),
            (SoundBy::Off, true, Signal::Refused, 0),
        ] {
            let mut sound = ScanSound::start(&SoundConfig { by, accepted }, &events);
            sound.play(signal);
            assert_eq!(rings(&mut sound), want, "{by:?} {signal:?}");
        }
        let mut sound = ScanSound::start(&bell(), &events);
        sound.play(Signal::Refused);
        assert!(sound.take_ring());
        sound.play(Signal::Unknown);
        assert_eq!(rings(&mut sound), 2);
    }

    #[test]
    fn every_scan_that_is_dropped_is_heard_as_refused() {
        let (events, _kept) = Inbox::new().unwrap();
        for why in [Reject::Key, Reject::TooLong, Reject::Gap, Reject::Dropped, Reject::NoEnd] {
            let mut sound = ScanSound::start(&bell(), &events);
            sound.reject(why);
            assert_eq!(rings(&mut sound), 3, "{why:?}");
        }
    }

    #[test]
    fn a_mute_sound_card_is_replaced_by_the_bell() {
        let (events, _kept) = Inbox::new().unwrap();
        for by in [SoundBy::Wav, SoundBy::Auto] {
            let mut sound = ScanSound::start(&SoundConfig { by, accepted: false }, &events);
            sound.mute(Signal::Unknown);
            assert_eq!(rings(&mut sound), 2);
            sound.play(Signal::Refused);
            assert_eq!(rings(&mut sound), 3, "it is not tried again");
        }
    }
}
