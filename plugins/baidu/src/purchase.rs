//! Makes a pay-as-you-go resource prepaid: a purchase for some months, from now on.
//!
//! Documents: the change of several instances to prepaid (BCC: cloud.baidu.com/doc/BCC/s/Rlfkr70zl), "Billing
//! Change-Switch to Prepayment" (BCC: Ck48btf29), "Change the Disk Billing Mode" (CDS: Qjwvyo38j), "EIP后付费转预付费"
//! (EIP: Hmdcuecxr). Knows terms and the calendar; a price is the command's or an attribute's.

use plugin_sdk::Charging;
use plugin_sdk::Micros;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Subscribe;
use plugin_sdk::Subscription;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use plugin_sdk::settings::get;

use crate::command_target::Draft;
use crate::kinds::Kind;
use crate::members;
use crate::members::MONTHLY_PRICE;
use crate::members::attached;
use crate::members::is_scaling;
use crate::options;
use crate::refusals::Code;
use crate::settings::Settings;
use crate::tries::CALENDAR;

/// A micro is the millionth part of a unit of the currency.
const MICROS: i64 = 1_000_000;

/// Amounts are whole cents.
const CENT: i64 = 10_000;

/// A day beyond whole months costs this part of a month.
const DAYS_OF_MONTH: i64 = 30;

/// Plans the purchase, for an instance with its pay-as-you-go disks. Without a length, a disk is aligned with its instance.
/// With the option `autoPay` `false`, the order waits to be paid.
///
/// # Errors
///
/// `NoSuchObject` when the resource is gone, `BadRequest` for a wrong length or option, `OperationDenied` when it is
/// prepaid, cannot be, has no known price, or an order of it waits to be paid.
pub fn plan(settings: &Settings, request: &PlanRequest, wanted: &Subscribe) -> Result<Plan, Refusal> {
    let resource = &request.bundle[request.member as usize];
    check_charging(resource)?;
    let is_paid_later = options::is_paid_later(&wanted.options)?;
    let mut draft = Draft::default();
    if let Some(term) = wanted.term {
        let months = months(Kind::of(&resource.kind), term)?;
        let subscription = subscription(request.at, resource, term, months, wanted.price)?;
        check_state(request, resource, Some(subscription.expires_at))?;
        draft.step(request.member, Operation::Subscribe(subscription));
        for (member, disk) in attached(&request.bundle, request.member) {
            match along(request.at, disk, term, months) {
                Ok(subscription) => draft.step(member, Operation::Subscribe(subscription)),
                Err(reason) => draft.leave(member, reason),
            }
        }
    } else {
        draft.step(request.member, Operation::Subscribe(aligned(request, resource, wanted.price)?));
    }
    let pay_until = is_paid_later.then_some(request.at + settings.order_valid_seconds);
    Ok(Plan { pay_until, ..draft.plan() })
}

/// The purchase of a disk to the expiry of its instance: "Change the Disk Billing Mode" (CDS). Paid are the whole months
/// that fit and the days beyond them, a day begun counts; with less than a month, the days alone.
fn aligned(request: &PlanRequest, disk: &Resource, price: Option<Micros>) -> Result<Subscription, Refusal> {
    if Kind::of(&disk.kind) != Kind::Cds {
        let message = "name a length: only a disk is aligned, with the instance that it is attached to";
        return Err(Code::BadRequest.because(message));
    }
    check_state(request, disk, None)?;
    let instance = disk.attached_to.map(|member| &request.bundle[member as usize]);
    let target = instance.map(members::Subscription::of).transpose()?;
    let target = target.filter(|target| target.expires_at > request.at).ok_or_else(|| {
        Code::OperationDenied
            .because(format!("`{}` has expired with its instance; renew that one first", disk.id))
    })?;
    let begins_on = CALENDAR.day_of_month(request.at);
    let months = CALENDAR.whole_months(request.at, begins_on, target.expires_at);
    let whole = |count| Term { count, unit: TermUnit::Month };
    let reached = if months == 0 { request.at } else { CALENDAR.plus(request.at, begins_on, whole(months)) };
    let rest = target.expires_at - reached;
    let days = u32::try_from(rest.div_euclid(DAY) + i64::from(rest.rem_euclid(DAY) > 0)).unwrap_or(u32::MAX);
    let of_month = price.map_or_else(|| known_price(disk, 1), Ok)?;
    let (expires_at, anchor_day) = (target.expires_at, target.anchor_day);
    Ok(if months == 0 {
        // To the nearest cent, as every other amount.
        let parts = DAYS_OF_MONTH * CENT;
        let price = (of_month.saturating_mul(i64::from(days)).saturating_add(parts / 2)) / parts * CENT;
        let term = Term { count: days, unit: TermUnit::Day };
        Subscription { expires_at, term, extra_days: 0, anchor_day, price }
    } else {
        let price = of_month.saturating_mul(i64::from(months));
        Subscription { expires_at, term: whole(months), extra_days: days, anchor_day, price }
    })
}

/// The purchase of a disk together with its instance.
fn along(at: Timestamp, disk: &Resource, term: Term, months: u32) -> Result<Subscription, Refusal> {
    if Kind::of(&disk.kind) != Kind::Cds {
        return Err(Code::OperationDenied.because("only disks become prepaid together with their instance"));
    }
    check_charging(disk)?;
    if is_scaling(disk) {
        return Err(Code::OperationDenied.because("it is being scaled"));
    }
    if disk.has_unpaid_order {
        return Err(Code::OperationDenied.because("an order of it waits to be paid"));
    }
    subscription(at, disk, term, months, None)
}

fn check_charging(resource: &Resource) -> Result<(), Refusal> {
    let id = &resource.id;
    match (resource.stage, resource.charging) {
        (Stage::Released, _) => Err(Code::NoSuchObject.because(format!("`{id}` was released"))),
        (Stage::Unsubscribed, _) => Err(Code::NoSuchObject.because(format!("`{id}` was unsubscribed"))),
        (Stage::Converted, _) | (_, Charging::Postpaid) => Ok(()),
        (Stage::Active | Stage::Grace | Stage::Retention, Charging::Prepaid) => {
            Err(Code::OperationDenied.because(format!("`{id}` is prepaid already")))
        }
    }
}

fn months(kind: Kind, term: Term) -> Result<u32, Refusal> {
    kind.months_bought(term).ok_or_else(|| {
        let sold = kind.lengths_bought();
        Code::BadRequest.because(format!("a {} is bought for {sold}", kind.name()))
    })
}

fn subscription(
    at: Timestamp,
    resource: &Resource,
    term: Term,
    months: u32,
    price: Option<Micros>,
) -> Result<Subscription, Refusal> {
    let price = match price {
        Some(price) => price,
        None => known_price(resource, months)?,
    };
    let anchor_day = CALENDAR.day_of_month(at);
    let expires_at = CALENDAR.plus(at, anchor_day, term);
    Ok(Subscription { expires_at, term, extra_days: 0, anchor_day, price })
}

/// The price of so many months, by the attribute with that of one month.
fn known_price(resource: &Resource, months: u32) -> Result<Micros, Refusal> {
    let text = get(&resource.attributes, MONTHLY_PRICE);
    let price = text.and_then(price).and_then(|month| month.checked_mul(i64::from(months)));
    price.ok_or_else(|| {
        Code::OperationDenied.because(format!(
            "no price is known of `{}`; name one, or set its attribute `{MONTHLY_PRICE}` to that of a month, such as `99.00`",
            resource.id
        ))
    })
}

/// The millionths of a price such as `99.00`; `None` when the text is none.
fn price(text: &str) -> Option<Micros> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 6 || !digits(whole) || !digits(part) {
        return None;
    }
    let part = format!("{part:0<6}").parse::<Micros>().ok()?;
    whole.parse::<Micros>().ok()?.checked_mul(MICROS)?.checked_add(part)
}

/// A disk becomes prepaid only on a prepaid instance, and lasts at least as long: "Change the Disk Billing Mode" (CDS).
/// `expires_at` is `None` for one that is aligned.
fn check_state(
    request: &PlanRequest,
    resource: &Resource,
    expires_at: Option<Timestamp>,
) -> Result<(), Refusal> {
    let (id, kind) = (&resource.id, Kind::of(&resource.kind));
    if !kind.has_postpaid_form() {
        return Err(
            Code::OperationDenied.because(format!("`{id}` is a {}, which is prepaid only", kind.label()))
        );
    }
    if is_scaling(resource) {
        return Err(
            Code::OperationDenied.because(format!("`{id}` is being scaled; buy it when that is done"))
        );
    }
    if resource.has_unpaid_order {
        return Err(Code::OperationDenied
            .because(format!("an order of `{id}` waits to be paid; pay it, or cancel it and order again")));
    }
    if kind != Kind::Cds {
        return Ok(());
    }
    let instance = resource.attached_to.map(|member| &request.bundle[member as usize]);
    match instance.map(members::Subscription::of) {
        Some(Ok(subscription)) if expires_at.is_none_or(|at| at >= subscription.expires_at) => Ok(()),
        Some(Ok(_)) => Err(Code::BadRequest
            .because(format!("`{id}` would expire before its instance; take a longer length"))),
        Some(Err(_)) | None => Err(Code::OperationDenied
            .because(format!("`{id}` is attached to no prepaid instance, so it cannot become prepaid"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::purchase::price;

    #[test]
    fn a_price_is_read_to_the_millionth() {
        for (text, expected) in [
            ("99.00", Some(99_000_000)),
            ("0", Some(0)),
            ("0.000001", Some(1)),
            ("9223372036854.775807", Some(i64::MAX)),
            ("9223372036854.775808", None),
            ("99.0000001", None),
            ("", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("1.+5", None),
            ("\u{661}", None),
        ] {
            assert_eq!(price(text), expected, "{text}");
        }
    }
}
