//! Any answers of a printer at any moment: a paper is sent once and ends once, a drawer is pulsed once.

use regi::devices::printer::dialogue::{Dialogue, Manner, Patience};
use regi::devices::printer::status::ProcessId;
use regi::devices::printer::{Job, JobKind, PrinterEvent, Proof, Trouble};
use regi::devices::profile::{Language, Level, Status};

const PAPER: &[u8] = b"\x1b@RECEIPT\n\x1dVB\0";
const PULSE: &[u8] = b"\x1bp\0\x19\xfa";
const PULSE_NOW: &[u8] = b"\x10\x14\x01\x00\x01";

/// What has happened to each job.
#[derive(Default)]
struct Fate {
    begun: u32,
    done: u32,
    uncertain: u32,
    not_sent: u32,
}

pub fn hold(bytes: &[u8]) {
    let Some((&manner, mut script)) = bytes.split_first() else { return };
    let status = [Status::Asb, Status::Dle, Status::None][usize::from(manner % 3)];
    let process_id = manner & 4 != 0;
    let (language, drawer_open) = (Language::Escpos, Level::High);
    let manner = Manner { language, status, process_id, drawer_open };
    let mut play = Play {
        dialogue: Dialogue::new(manner, Patience::default()),
        now: 0,
        sent: Vec::new(),
        linked: false,
        fates: Default::default(),
        named: Vec::new(),
    };
    play.submit(1, PAPER, JobKind::Paper);
    play.submit(2, PULSE, JobKind::Drawer { real_time: Some(PULSE_NOW.to_vec()) });
    play.submit(3, PAPER, JobKind::Paper);
    while let Some((&act, rest)) = script.split_first() {
        script = play.act(act, rest);
        play.events();
    }
    play.judge(process_id && status != Status::None);
}

struct Play {
    dialogue: Dialogue,
    now: u64,
    sent: Vec<u8>,
    linked: bool,
    fates: [Fate; 4],
    /// Jobs whose own id was heard.
    named: Vec<u64>,
}

impl Play {
    fn submit(&mut self, id: u64, bytes: &[u8], kind: JobKind) {
        let job = Job { id, name: format!("job-{id}"), bytes: bytes.to_vec(), kind };
        self.dialogue.submit(job, self.now);
    }

    /// One act of the world; returns what is left of the script.
    fn act<'a>(&mut self, act: u8, rest: &'a [u8]) -> &'a [u8] {
        match act % 10 {
            0 if !self.linked => {
                self.linked = true;
                self.dialogue.opened(self.now);
            }
            1 if self.linked => {
                self.linked = false;
                self.dialogue.lost(Trouble::Absent, self.now);
            }
            2 if self.linked => {
                self.linked = false;
                self.dialogue.hung_up(self.now);
                self.linked = false;
            }
            3..=5 if self.linked => self.write(if act % 10 == 3 { 1 } else { usize::MAX }),
            6 if self.linked => {
                let count = rest.first().map_or(0, |&count| usize::from(count % 16));
                let (said, rest) = rest.split_at((1 + count).min(rest.len()));
                self.dialogue.heard(said.get(1..).unwrap_or_default(), self.now);
                self.note_named(said.get(1..).unwrap_or_default());
                return rest;
            }
            7 if self.linked => {
                // The right answer, or one of another job.
                let job = u64::from(act / 10 % 4);
                let id = ProcessId::of(job).request();
                let answer = [&[0x37, 0x22], &id[7..], &[0]].concat();
                self.dialogue.heard(&answer, self.now);
                self.named.push(job);
            }
            8 => {
                self.now += u64::from(act) * 20;
                self.dialogue.tick(self.now);
            }
            _ => self.dialogue.withdraw(u64::from(act / 10 % 4), self.now),
        }
        rest
    }

    fn note_named(&mut self, said: &[u8]) {
        // Free bytes may spell an id over several pieces: be generous.
        if said.contains(&0x22) || said.contains(&0) {
            self.named.extend([1, 2, 3]);
        }
    }

    fn write(&mut self, most: usize) {
        self.events();
        let bytes = self.dialogue.to_write();
        let count = bytes.len().min(most);
        self.sent.extend(&bytes[..count]);
        if count > 0 {
            self.dialogue.wrote(count, self.now);
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.dialogue.next_event() {
            match event {
                PrinterEvent::FirstByte { job } => self.fates[job as usize].begun += 1,
                PrinterEvent::Done { job, proof } => {
                    self.fates[job as usize].done += 1;
                    let named = proof != Proof::ProcessId || self.named.contains(&job);
                    assert!(named, "done, though nobody named job {job}");
                }
                PrinterEvent::Uncertain { job, .. } => self.fates[job as usize].uncertain += 1,
                PrinterEvent::NotSent { job, .. } => self.fates[job as usize].not_sent += 1,
                _ => {}
            }
        }
    }

    fn judge(&self, named: bool) {
        let count = |part: &[u8]| self.sent.windows(part.len()).filter(|all| *all == part).count();
        assert!(count(PAPER) <= 2, "a paper was sent twice");
        assert!(count(PULSE) + count(PULSE_NOW) <= 1, "a drawer was pulsed twice");
        for (id, fate) in self.fates.iter().enumerate() {
            let ends = fate.done + fate.not_sent;
            assert!(ends <= 1 && fate.uncertain <= 1, "job {id} ended {ends} times");
            assert!(fate.not_sent == 0 || fate.uncertain + fate.done == 0, "job {id}");
            assert!(fate.begun > 0 || fate.done + fate.uncertain == 0, "job {id} ended unbegun");
        }
        let _ = named;
    }
}
