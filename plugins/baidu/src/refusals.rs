//! Every code of a refusal, with its document. The rules decide when a code is given, and write the message.

use plugin_sdk::Refusal;

/// A code of Baidu's. The README's table of refusals has one row for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 400, a parameter is wrong: "Instance Renewal" (BCC).
    BadRequest,
    /// 404, there is no such resource: "Instance Renewal" (BCC).
    NoSuchObject,
    /// 409, not in this state or not for such a resource: "Instance Renewal" (BCC).
    OperationDenied,
    /// 403, the token was used for something else: "General Description, Idempotence" (CCE and others).
    IdempotentParameterMismatch,
    /// 403, the instance is protected from being released: "Early Release of Prepaid Instances" (BCC).
    DeletionProtection,
    /// 403, the sender may not do this, here because a policy of the operator's denies it: "Error Return" (BCC).
    AccessDenied,
    /// The disk's auto-renew rule is in the way: "Shift charge for disks" (CDS).
    AutoRenewNotSupportToPostpay,
    /// The disk has expired: "Shift charge for disks" (CDS).
    ExpiredResourceNotSupportToPostpay,
    /// The disk is pay-as-you-go already: "Shift charge for disks" (CDS).
    PaymentTypeNotSupportToPostpay,
}

impl Code {
    /// The code as the provider writes it.
    pub fn name(self) -> &'static str {
        match self {
            Code::BadRequest => "BadRequest",
            Code::NoSuchObject => "NoSuchObject",
            Code::OperationDenied => "OperationDenied",
            Code::IdempotentParameterMismatch => "IdempotentParameterMismatch",
            Code::DeletionProtection => "Instance.DeletionProtection",
            Code::AccessDenied => "AccessDenied",
            Code::AutoRenewNotSupportToPostpay => "Volume.AutoRenewNotSupportToPostpay",
            Code::ExpiredResourceNotSupportToPostpay => "Volume.ExpiredResourceNotSupportToPostpay",
            Code::PaymentTypeNotSupportToPostpay => "Volume.PaymentTypeNotSupportToPostpay",
        }
    }

    /// A refusal with this code and this message.
    pub fn because(self, message: impl Into<String>) -> Refusal {
        Refusal { code: self.name().to_owned(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use crate::refusals::Code;

    #[test]
    fn the_readme_has_a_row_for_every_code() {
        let readme = include_str!("../README.md");
        for code in [
            Code::BadRequest,
            Code::NoSuchObject,
            Code::OperationDenied,
            Code::IdempotentParameterMismatch,
            Code::DeletionProtection,
            Code::AccessDenied,
            Code::AutoRenewNotSupportToPostpay,
            Code::ExpiredResourceNotSupportToPostpay,
            Code::PaymentTypeNotSupportToPostpay,
        ] {
            let row = format!("| `{}` |", code.name());
            assert!(readme.lines().any(|line| line.starts_with(&row)), "README.md has no row `{row}`");
        }
    }
}
