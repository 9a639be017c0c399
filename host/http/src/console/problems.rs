//! What the admin API says of problems, in the reader's language: its titles, and its details by their templates. A detail of
//! which there is no template stays in English, and its page says so to browsers.

use maud::Markup;
use maud::html;
use perennial_formats::language::Language;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::templates;
use crate::problem::ProblemType;

/// Details of the admin API with their Chinese, both with the same parts in the same order. Where several fit, the first does.
const DETAILS: [(&str, &str); 66] = [
    ("there is no {} `{}`", "没有{} `{}`"),
    ("there is no {} (did you mean {}?); expected {}", "没有 {}（是否指 {}？）；应为 {}"),
    ("there is no {}; expected {}", "没有 {}；应为 {}"),
    ("there is an account `{}` already", "账户 `{}` 已存在"),
    ("there is no such route; see /openapi.json", "没有此路径；参见 /openapi.json"),
    (
        "the token is bound to accounts; this concerns the host as a whole",
        "此令牌只限部分账户，而此操作涉及整个主机",
    ),
    ("creating and changing accounts requires the role `admin`", "创建和更改账户需要管理员角色"),
    ("this requires the role `{}`; the token has `{}`", "需要角色 `{}`；此令牌的角色是 `{}`"),
    ("`{}` is revoked; make another one", "`{}` 已吊销；请新建一个"),
    ("the webhook is disabled; enable it, then test it", "此 Webhook 已停用；请先启用，再测试"),
    ("the host failed; its log says why", "主机出错；原因见其日志"),
    ("reading failed; the host's log says why", "读取失败；原因见主机日志"),
    ("the host is stopping", "主机正在停止"),
    ("the host is stopping; start it again, then move its clock", "主机正在停止；请重新启动后再推进时钟"),
    (
        "the host runs on real time; start it with `--virtual-clock`",
        "主机按真实时间运行；请用 `--virtual-clock` 启动",
    ),
    ("the clock stands at {}; it does not go back", "时钟在 {}；不能后退"),
    ("too many writes are waiting", "等待中的写入过多"),
    ("the command would now do something else than the dry run said", "命令现在的结果与试运行不同"),
    (
        "the command would now do something else than was planned: its plan has the hash {}",
        "命令现在的结果与计划不同：新计划的摘要为 {}",
    ),
    ("the command was not decided: {}", "命令未能决定：{}"),
    (
        "the command was not decided, because what was due before it is not done: {}",
        "命令未能决定，因为此前到期的尚未完成：{}",
    ),
    (
        "the account `{}` is with `{}`, for which no plugin is loaded; load one with `--plugin FILE`",
        "账户 `{}` 属于 `{}`，没有加载其插件；请用 `--plugin FILE` 加载",
    ),
    (
        "as many forecasts as the host makes at once (`limits.forecasts_max`) are in progress",
        "正在进行的预测已达上限（`limits.forecasts_max`）",
    ),
    ("a body has at most {} bytes ({})", "请求最多 {} 字节（{}）"),
    ("`{}` is {}; it is never renewed", "`{}` 为{}；不会续费"),
    (
        "no revision {} is installed; `perennial plugin revisions` lists those that are",
        "没有安装版本 {}；`perennial plugin revisions` 列出已安装的版本",
    ),
    (
        "the revision {} cannot be loaded, and decides nothing; the host's log says why",
        "版本 {} 无法加载，不做任何决定；原因见主机日志",
    ),
    ("no revision of `{}` is bound {} for `{}`", "`{}` 没有版本以“{}”方式绑定到 `{}`"),
    (
        "what is bound for all accounts of `{}` is what the host loads, and cannot be removed; bind another revision in its place",
        "`{}` 全部账户所绑定的是主机加载的版本，不能移除；请改为绑定另一个版本",
    ),
    ("nothing was bound before for `{}` of `{}`", "`{}`（{}）此前没有绑定"),
    (
        "a person has at most {} jobs running: wait for one to end, or raise {}",
        "每人最多同时运行 {} 个任务：请等待其中一个结束，或提高 {}",
    ),
    ("expected {}, found the text {}", "应为 {}，实际为文本 {}"),
    ("expected {}, found the number {}", "应为 {}，实际为数字 {}"),
    ("expected {}, found null", "应为 {}，实际为空"),
    ("expected {}, found {}", "应为 {}，实际为 {}"),
    ("it is empty; expected some text", "内容为空；应填写文字"),
    ("it is empty; {}", "内容为空：{}"),
    ("it is empty", "内容为空"),
    ("an id has at most {} characters; this one has {}", "编号最多 {} 个字符；此处有 {} 个"),
    ("the id {} has a control character", "编号 {} 含有控制字符"),
    ("{} is not before {}; nothing can be counted from there", "{} 不早于 {}；无法从那里计算"),
    ("{} is negative; expected 0.00 or more", "{} 为负数；应不小于 0.00"),
    ("it is zero; expected an amount above 0.00", "金额为零；应大于 0.00"),
    ("it has {} characters; at most {} are taken", "共 {} 个字符；最多 {} 个"),
    ("it has {} addresses; at most {} are taken", "共 {} 个地址；最多 {} 个"),
    ("they begin and end at one time; leave them out to have none", "开始与结束是同一时间；不需要时请留空"),
    ("name at least one address", "请至少填写一个地址"),
    ("name the addresses of e-mail that messages go to", "请填写收件人的电子邮件地址"),
    ("e-mail has no URL; leave it out", "电子邮件没有 URL；请留空"),
    ("the readers of `{}` are its group; leave it out", "`{}` 的读者是其群组；请留空"),
    ("name the URL that `{}` shows for the robot", "请填写 `{}` 为机器人显示的 URL"),
    ("messages of `{}` are not signed; leave it out", "`{}` 的消息不签名；请留空"),
    (
        "it would choose every resource; give at least one criterion, such as `account`",
        "这会选中全部资源；请至少给出一个条件，例如 `account`",
    ),
    (
        "give exactly one of `ids`, `filter` and `from_dry_run`",
        "请在 `ids`、`filter` 和 `from_dry_run` 中恰好给出一个",
    ),
    ("it is not the id of a job", "这不是任务编号"),
    ("it is given {} times; ask about at most {} at once", "给出了 {} 次；一次最多询问 {} 个"),
    ("expected a whole number from {} to {}", "应为 {} 到 {} 之间的整数"),
    ("the setting `{}` cannot be `{}`; expected one of {}", "设置 `{}` 不能为 `{}`；应为 {} 之一"),
    ("the field is missing", "缺少此字段"),
    ("the token is not known, expired or revoked", "令牌未知、已过期或已吊销"),
    ("the clock is {} seconds late: it catches up", "时钟落后 {} 秒：正在追赶"),
    (
        "the system's clock is {} seconds behind the database's: check the system's clock",
        "系统时钟比数据库慢 {} 秒：请检查系统时钟",
    ),
    ("the writer does not begin a transaction: see the host's log", "写入线程无法开始事务：参见主机日志"),
    ("the disk that the database is on is full: make space", "数据库所在磁盘已满：请腾出空间"),
    (
        "the database's file was moved, deleted or replaced: put it back under its name",
        "数据库文件被移动、删除或替换：请恢复原名",
    ),
    (
        "a file beside the database, its name with `-wal` or `-shm`, was moved, deleted or replaced: stop the host and start it again",
        "数据库旁的 `-wal` 或 `-shm` 文件被移动、删除或替换：请重启主机",
    ),
];

/// What each type of problem is called in Chinese.
const fn title(kind: ProblemType) -> &'static str {
    match kind {
        ProblemType::BadRequest => "无法读取请求",
        ProblemType::Unauthorized => "需要有效的令牌",
        ProblemType::Forbidden => "此令牌没有权限",
        ProblemType::OwnApproval => "提交审批的人不能自己审批",
        ProblemType::NotFound => "没有此对象",
        ProblemType::MethodNotAllowed => "此路径不支持该方法",
        ProblemType::Conflict => "当前状态不允许此操作",
        ProblemType::CommandRefused => "命令被拒绝",
        ProblemType::PlanChanged => "命令的计划已变化",
        ProblemType::KeyInFlight => "相同的请求正在处理",
        ProblemType::PreconditionFailed => "对象已是另一个版本",
        ProblemType::BodyTimeout => "请求未及时到达",
        ProblemType::TooLarge => "请求过大",
        ProblemType::UnsupportedMediaType => "请求必须是 application/json",
        ProblemType::InvalidFields => "有些字段无效",
        ProblemType::KeyReused => "此键已用于另一个请求",
        ProblemType::TooManyRequests => "正在处理的请求过多",
        ProblemType::QuotaExceeded => "已达配额上限",
        ProblemType::Internal => "主机出错",
        ProblemType::PluginFailed => "插件出错",
        ProblemType::Unavailable => "主机繁忙或正在停止",
        ProblemType::ProviderUnavailable => "云厂商的 API 没有响应",
        ProblemType::StorageFull => "数据库所在磁盘已满",
        ProblemType::StorageMoved => "数据库文件被移动或删除",
        ProblemType::TimedOut => "请求耗时过长",
    }
}

/// The title of a type of problem, by its URI; `None` in English, where the detail says enough, and for what has no type.
pub(super) fn type_title(frame: &Frame, uri: &str) -> Option<&'static str> {
    let kind = ProblemType::ALL.into_iter().find(|kind| uri.ends_with(&format!(":{}", kind.slug())));
    kind.filter(|_| frame.language == Language::Chinese).map(title)
}

/// A detail in the reader's language.
pub(super) fn detail(frame: &Frame, english: &str) -> Markup {
    let is_said = frame.language == Language::English || !english.is_ascii();
    match (is_said, templates::chinese(&DETAILS, english)) {
        (true, _) => parts::quoting(english),
        (false, Some(chinese)) => parts::quoting(&chinese),
        (false, None) => html! { span lang="en" { (parts::quoting(english)) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_the_same_parts_and_every_title_is_chinese() {
        for (english, chinese) in DETAILS {
            assert_eq!(english.matches("{}").count(), chinese.matches("{}").count(), "{english}");
        }
        assert!(ProblemType::ALL.into_iter().all(|kind| !title(kind).is_ascii()));
    }
}
