//! The print queue: papers that entries asked for and that no printer has confirmed yet.
//!
//! Room: store. May touch: the jobs table.
//! Invariant: a job follows from its entry and ends by one; a printed one leaves the table, a lost
//! one stays until it is printed again.

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::tables::JOBS;
use crate::domain::entry::{Entry, Kind, PrintEnd};
use crate::domain::number::{DocKind, DocNo};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// Not known to have reached a printer.
    Queued,
    /// Staff or the printer said that it did not come out.
    Lost,
}

/// A paper to print; it is made from the entry it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub name: String,
    pub lane: u8,
    pub epoch: u16,
    pub seq: u64,
    pub state: JobState,
}

/// Returns the name of a receipt's job: `receipt-01-000123`, `receipt-01-000123-r1` for a copy; of
/// a formal receipt `formal-01-F000003`.
pub fn receipt_job(number: DocNo, copy: u32) -> String {
    let kind = if number.kind == DocKind::Formal { "formal" } else { "receipt" };
    match copy {
        0 => format!("{kind}-{number}"),
        copy => format!("{kind}-{number}-r{copy}"),
    }
}

const SLIP: &str = "kitchen-";

/// Returns the name of a kitchen slip's job: `kitchen-PLACE-01-000123`.
pub fn slip_job(place: &str, receipt: DocNo) -> String {
    format!("{SLIP}{place}-{receipt}")
}

/// Returns the place and the receipt's number that a kitchen slip's job names.
pub fn slip_of(job: &str) -> Option<(&str, &str)> {
    let told = job.strip_prefix(SLIP)?;
    let (before, _) = told.rsplit_once('-')?;
    let (place, lane) = before.rsplit_once('-')?;
    Some((place, &told[before.len() - lane.len()..]))
}

/// Returns the name of the job that an entry asks for, if it asks for a paper.
pub fn job_of(kind: &Kind) -> Option<String> {
    match kind {
        Kind::SaleClosed(sale) => Some(receipt_job(sale.number, 0)),
        Kind::Reprinted { receipt, copy } => Some(receipt_job(*receipt, *copy)),
        Kind::ReceiptVoided { receipt, .. } => Some(format!("void-{receipt}")),
        Kind::FormalReceiptIssued { number, .. } | Kind::FormalReceiptIssuedFor { number, .. } => {
            Some(receipt_job(*number, 0))
        }
        Kind::TaxFreeRecorded(record) => Some(format!("tax-free-{}", record.number)),
        Kind::TaxFreeRefunded { number, .. } => Some(format!("tax-refund-{number}")),
        Kind::SaleSuspended { slip, .. } => Some(format!("slip-{slip}")),
        Kind::ZClosed(closing) => Some(format!("z-{}", closing.number)),
        Kind::SlipOrdered { receipt, place } => Some(slip_job(place, *receipt)),
        _ => None,
    }
}

/// Folds what an entry asks to print, or how a job ended.
pub fn fold(txn: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    let header = &entry.header;
    if let Some(name) = job_of(&entry.kind) {
        let (lane, epoch, seq) = (header.lane, header.epoch, header.seq);
        let job = Job { name, lane, epoch, seq, state: JobState::Queued };
        txn.open_table(JOBS)?.insert(job.name.as_str(), pack(&job)?.as_slice())?;
    }
    match &entry.kind {
        Kind::PrintEnded { job, end: PrintEnd::Printed } => {
            txn.open_table(JOBS)?.remove(job.as_str())?;
        }
        Kind::PrintEnded { job, end: PrintEnd::Lost } => lose(txn, job)?,
        _ => {}
    }
    Ok(())
}

fn lose(txn: &WriteTransaction, name: &str) -> Result<(), StoreError> {
    let mut jobs = txn.open_table(JOBS)?;
    let job = jobs.get(name)?.map(|job| unpack::<Job>(job.value())).transpose()?;
    if let Some(job) = job {
        let lost = Job { state: JobState::Lost, ..job };
        jobs.insert(name, pack(&lost)?.as_slice())?;
    }
    Ok(())
}

/// Returns the jobs that are not known to be printed, in the order they were asked for.
pub fn waiting(txn: &ReadTransaction) -> Result<Vec<Job>, StoreError> {
    let table = txn.open_table(JOBS)?;
    let jobs: Result<Vec<Job>, StoreError> =
        table.iter()?.map(|row| Ok(unpack(row?.1.value())?)).collect();
    let mut jobs = jobs?;
    jobs.sort_by_key(|job| (job.lane, job.epoch, job.seq));
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_names_its_place_and_receipt() {
        let number = DocNo { lane: 1, epoch: 0, kind: DocKind::Receipt, number: 9 };
        for place in ["Kitchen", "a-b", "台所", ""] {
            let job = slip_job(place, number);
            assert_eq!(slip_of(&job), Some((place, "01-000009")), "{job}");
        }
        assert_eq!(slip_of("receipt-01-000009"), None);
    }
}
