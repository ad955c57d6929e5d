//! PINs: what may be one, and how it is kept.
//!
//! Room: store. May touch: std, argon2. May not: file; chance arrives as a salt.
//! Invariant: a PIN is only an online secret (four digits fall to any offline guess); what guards it
//! is the lock after five tries, so a verifier costs about a tenth of a second and no more.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::domain::command::Pin;
use crate::domain::refusal::{Refusal, RefusalCode};

/// argon2id with 7 MiB, five passes, one lane (`reliability.md` 0).
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;

/// Whose PINs they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinPolicy {
    /// A shop's own: the 100 worst are refused.
    Guarded,
    /// The sample shop's, whose PINs everybody knows.
    Sample,
}

/// The 100 PINs that people choose first, of four and of six digits.
const WORST: &str = "
    0000 1111 2222 3333 4444 5555 6666 7777 8888 9999 1234 4321 1212 1122 1313 2580 0852 1010 2000
    2001 1004 6969 0001 1000 2222 0123 3210 9876 6789 7890 0987 1123 1233 2345 3456 4567 5678 1357
    2468 0101 1230 0007 1984 1985 1980 1990 1999 2020 2024 2025 2026 5683 1236 1478 7410
    000000 111111 222222 333333 444444 555555 666666 777777 888888 999999 123456 654321 012345
    543210 123123 321321 112233 332211 121212 101010 131313 123321 159753 147258 258456 159357
    147852 789456 456789 987654 696969 246810 135790 000001 100000 111222 777888 112211 222333
    520520 520131 159951 789789 456456 246802";

/// Returns the verifier of a PIN as a PHC string.
///
/// # Errors
/// `bad_argument` when it is not 4 to 12 digits, or one of those a thief would try first.
pub fn verifier(pin: &Pin, salt: &[u8; 16], policy: PinPolicy) -> Result<String, Refusal> {
    allowed(pin, policy)?;
    let hash = hasher().hash_password_with_salt(pin.reveal().as_bytes(), salt);
    Ok(hash.expect("parameters and salt are constants that fit").to_string())
}

/// Checks that a PIN may be put on file.
///
/// # Errors
/// As `verifier`.
pub fn allowed(pin: &Pin, policy: PinPolicy) -> Result<(), Refusal> {
    let digits = pin.reveal();
    let shaped = (4..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !shaped {
        return Err(Refusal::new(RefusalCode::BadArgument).saying("pin_shape"));
    }
    if policy == PinPolicy::Guarded && is_worst(digits) {
        return Err(Refusal::new(RefusalCode::BadArgument).saying("pin_too_common"));
    }
    Ok(())
}

/// Returns whether the PIN is the one behind a verifier. Takes about a tenth of a second.
pub fn holds(pin: &Pin, phc: &str) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else { return false };
    hasher().verify_password(pin.reveal().as_bytes(), &hash).is_ok()
}

fn hasher() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, 1, None).expect("constants within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn is_worst(digits: &str) -> bool {
    let one_digit = digits.bytes().all(|digit| digit == digits.as_bytes()[0]);
    one_digit || WORST.split_whitespace().any(|worst| worst == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_holds_for_its_pin_only_and_does_not_show_it() {
        let phc = verifier(&Pin::new("840217"), &[3; 16], PinPolicy::Guarded).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{phc}");
        assert!(!phc.contains("840217"));
        assert!(holds(&Pin::new("840217"), &phc));
        assert!(!holds(&Pin::new("840218"), &phc));
        assert!(!holds(&Pin::new("840217"), "not a verifier"));
    }

    #[test]
    fn the_worst_pins_are_refused_except_in_the_sample_shop() {
        for (pin, guarded, sample) in [
            ("111111", Err("pin_too_common"), Ok(())),
            ("123456", Err("pin_too_common"), Ok(())),
            ("2580", Err("pin_too_common"), Ok(())),
            ("7777777", Err("pin_too_common"), Ok(())),
            ("123", Err("pin_shape"), Err("pin_shape")),
            ("12a4", Err("pin_shape"), Err("pin_shape")),
            ("840217", Ok(()), Ok(())),
        ] {
            for (policy, want) in [(PinPolicy::Guarded, guarded), (PinPolicy::Sample, sample)] {
                let got = verifier(&Pin::new(pin), &[0; 16], policy);
                assert_eq!(got.map(|_| ()).map_err(|refusal| refusal.sentence), want, "{pin}");
            }
        }
    }
}
