//! What is unclear of a renewal or a command on a cloud, and what to do about it, by the code of its event.

use crate::language::Language;

/// What the code of `renewal_in_doubt` or `command_in_doubt` means, in a sentence. A code that is not known here is the
/// provider's, which proves nothing.
pub(super) fn meaning(code: &str, language: Language) -> &'static str {
    let (english, chinese) = match code {
        "done_already" => (
            "it was renewed already, by somebody else or by the provider: nothing was sent",
            "已由他人或云厂商续费：没有发送",
        ),
        "drift" => (
            "the provider shows neither what was before nor what was planned: look at its console, and see `perennial drift`",
            "云厂商显示的既不是原状，也不是计划的结果：请查看其控制台和 `perennial drift`",
        ),
        "unpaid_order" => (
            "an order waits to be paid at the provider, and until it is paid or cancelled nothing else is renewed",
            "云厂商有一个待支付订单：支付或取消之前不会再续费",
        ),
        "partial_renewal" => (
            "what is attached was not all renewed along: what was not is tried again by itself",
            "附属资源没有全部随之续费：未续费的会单独重试",
        ),
        "person_needed" => (
            "nothing that can be read explains it: look at the provider's console, then say `perennial calls resolve`",
            "读到的信息都无法说明结果：请查看云厂商控制台，然后执行 `perennial calls resolve`",
        ),
        "shortened" => (
            "it was read back and settled, and the provider shows the earlier expiry again: nothing is paid again by that; if it \
             was given back there, say `perennial calls resolve CALL given_back`",
            "已读回并结清，但云厂商又显示原来的到期时间：不会因此再次支付；如果已在那里退订，请执行 `perennial calls resolve 调用编号 given_back`",
        ),
        _ => (
            "no reply proves whether it was done, so the host only queries it",
            "没有回复能证明是否已执行，主机只查询，不再发送",
        ),
    };
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}
