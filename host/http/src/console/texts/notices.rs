//! What a page says after something was done. Knows no page.

use perennial_formats::language::Text;

/// What a page says after something was done, by the name in its address.
pub(super) const DONE: [(&str, Text); 22] = [
    ("carried-out", Text { english: "The plan was carried out.", chinese: "计划已执行。" }),
    ("waits", Text { english: "It waits for an approval now.", chinese: "现在等待审批。" }),
    (
        "to-be-sent",
        Text {
            english: "The renewal is written down, and will be sent to the provider.",
            chinese: "续费已记录，将发送给云服务商。",
        },
    ),
    ("topped-up", Text { english: "The account was topped up.", chinese: "账户已充值。" }),
    ("saved", Text { english: "Saved.", chinese: "已保存。" }),
    (
        "limit-waits",
        Text {
            english: "Saved, but the higher limit waits for a second person.",
            chinese: "已保存，但更高的限额等待第二人确认。",
        },
    ),
    ("approved", Text { english: "Approved and carried out.", chinese: "已批准并执行。" }),
    ("rejected", Text { english: "Rejected.", chinese: "已拒绝。" }),
    ("advanced", Text { english: "The clock was moved.", chinese: "时钟已推进。" }),
    (
        "dry-run",
        Text {
            english: "The dry run has begun; nothing is changed by it.",
            chinese: "试运行已开始；不会改变任何内容。",
        },
    ),
    ("job-begun", Text { english: "The job has begun.", chinese: "任务已开始。" }),
    (
        "job-ended",
        Text {
            english: "It had ended before; nothing was left to cancel.",
            chinese: "任务在此之前已结束；没有可取消的内容。",
        },
    ),
    ("job-cancelled", Text { english: "The job was cancelled.", chinese: "任务已取消。" }),
    (
        "installed",
        Text {
            english: "The policies hold from the next plan on.", chinese: "策略从下一个计划起生效。"
        },
    ),
    (
        "installed-shadow",
        Text {
            english: "Installed as a shadow: it is asked, and changes nothing. Its page says what it would have done.",
            chinese: "已安装为影子策略：只被询问，不会改变任何内容。其页面会显示若生效会有何不同。",
        },
    ),
    (
        "installed-both",
        Text {
            english: "The active policies hold from the next plan on. A shadow is asked, and changes nothing.",
            chinese: "生效的策略从下一个计划起执行。影子策略只被询问，不会改变任何内容。",
        },
    ),
    ("policy-removed", Text { english: "The policy was removed.", chinese: "策略已移除。" }),
    ("tags-set", Text { english: "The tags were set.", chinese: "标签已设置。" }),
    ("revoked", Text { english: "Revoked.", chinese: "已吊销。" }),
    ("sent-again", Text { english: "It is sent again.", chinese: "正在重新发送。" }),
    ("binding-changed", Text { english: "What is bound was changed.", chinese: "绑定已变更。" }),
    ("deleted", Text { english: "Deleted.", chinese: "已删除。" }),
];

/// What was done, by its name; an address cannot have a page say anything else.
pub(in crate::console) fn done(name: &str) -> Option<Text> {
    DONE.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
