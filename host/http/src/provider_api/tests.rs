//! Signatures of the providers' own guides are verified, and chains of derived keys are followed.

use perennial_domain::provider_api::Derivation;
use perennial_domain::provider_api::KeyEncoding;
use perennial_domain::provider_api::Signature;

use crate::provider_api::authentication::verify_signature;

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The example of Huawei Cloud's "API Request Signing Guide": one HMAC under the secret itself.
#[test]
fn a_signature_of_huaweis_guide_is_right() {
    let hash = "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a";
    let signature = Signature {
        derivations: vec![],
        key: 0,
        message: format!("SDK-HMAC-SHA256\n20191115T033655Z\n{hash}").into_bytes(),
        value: bytes("7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"),
    };
    let secret = b"MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
    assert!(verify_signature(secret, &signature));
    assert!(!verify_signature(b"another", &signature));
    let mut wrong = signature.clone();
    wrong.value[31] ^= 1;
    assert!(!verify_signature(secret, &wrong));
    wrong.value.clear();
    assert!(!verify_signature(secret, &wrong));
}

/// The example of Baidu AI Cloud's "Generating an Authentication String": the key is the hexadecimal form of an HMAC.
#[test]
fn a_signature_of_baidus_guide_is_right() {
    let prefix = format!("bce-auth-v1/{}/2015-04-27T08:23:49Z/1800", "a".repeat(32));
    let request = "PUT\n/v1/test/myfolder/readme.txt\n\
        partNumber=9&uploadId=a44cc9bab11cbd156984767aad637851\n\
        content-length:8\ncontent-md5:NFzcPqhviddjRNnSOGo4rw%3D%3D\ncontent-type:text%2Fplain\n\
        host:bj.bcebos.com\nx-bce-date:2015-04-27T08%3A23%3A49Z";
    let derivation = Derivation {
        key: 0,
        prefix: vec![],
        message: prefix.into_bytes(),
        encoding: KeyEncoding::Hexadecimal,
    };
    let signature = Signature {
        derivations: vec![derivation],
        key: 1,
        message: request.as_bytes().to_vec(),
        value: bytes("d74a04362e6a848f5b39b15421cb449427f419c95a480fd6b8cf9fc783e2999e"),
    };
    assert!(verify_signature("b".repeat(32).as_bytes(), &signature));
    let mut wrong = signature;
    wrong.derivations[0].encoding = KeyEncoding::Bytes;
    assert!(!verify_signature("b".repeat(32).as_bytes(), &wrong));
}

/// The example of Tencent Cloud's "Signature v3": a chain of keys, the first with a prefix. The published key has stars
/// in it and is used as printed.
#[test]
fn a_chain_of_keys_with_a_prefix_is_followed() {
    let hash = "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031";
    let link = |key, prefix: &str, message: &str| Derivation {
        key,
        prefix: prefix.into(),
        message: message.into(),
        encoding: KeyEncoding::Bytes,
    };
    let signature = Signature {
        derivations: vec![link(0, "TC3", "2019-02-25"), link(1, "", "cvm"), link(2, "", "tc3_request")],
        key: 3,
        message: format!("TC3-HMAC-SHA256\n1551113065\n2019-02-25/cvm/tc3_request\n{hash}").into_bytes(),
        value: bytes("2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"),
    };
    assert!(verify_signature(b"Gu5t9xGARNpq86cd98joQYCN3*******", &signature));
}
