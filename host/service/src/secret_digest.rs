//! Digests of secrets. They have no `==`: comparing two looks at all of both, so how long it takes says nothing of how much of
//! a guess is right.

use sha2::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The SHA-256 of a secret.
#[derive(Clone, Copy)]
pub(crate) struct SecretDigest<T = u8>([T; 32]);

impl SecretDigest {
    /// That of `secret`.
    pub(crate) fn of(secret: &str) -> SecretDigest {
        SecretDigest(Sha256::digest(secret).into())
    }

    /// One that was stored.
    pub(crate) fn stored(digest: [u8; 32]) -> SecretDigest {
        SecretDigest(digest)
    }
}

impl<T: ConstantTimeEq> SecretDigest<T> {
    /// Whether both are of the same secret.
    pub(crate) fn matches(&self, other: &SecretDigest<T>) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;
    use subtle::Choice;

    /// A byte that counts how often one like it is looked at.
    struct CountingByte(u8, Rc<Cell<usize>>);

    impl ConstantTimeEq for CountingByte {
        fn ct_eq(&self, other: &CountingByte) -> Choice {
            self.1.set(self.1.get() + 1);
            self.0.ct_eq(&other.0)
        }
    }

    #[test]
    fn a_guess_is_compared_to_its_end_wherever_it_is_wrong() {
        let count = Rc::new(Cell::new(0));
        let digest = |bytes: [u8; 32]| SecretDigest(bytes.map(|byte| CountingByte(byte, Rc::clone(&count))));
        let right = SecretDigest::of("the secret").0;
        assert!(digest(right).matches(&digest(right)));
        assert_eq!(count.replace(0), 32);
        for place in 0..32 {
            let mut wrong = right;
            wrong[place] ^= 1;
            assert!(!digest(right).matches(&digest(wrong)), "{place}");
            assert_eq!(count.replace(0), 32, "{place}");
        }
    }

    #[test]
    fn what_is_compared_of_a_secret_is_its_digest() {
        assert!(SecretDigest::of("ab").matches(&SecretDigest::stored(Sha256::digest("ab").into())));
        // What a guess has in common with the secret is not to be seen in what is compared.
        let (one, other) = (SecretDigest::of("secret-0").0, SecretDigest::of("secret-1").0);
        let same = one.iter().zip(other).filter(|(one, other)| **one == *other).count();
        assert!(same < 8, "{same}");
    }
}
