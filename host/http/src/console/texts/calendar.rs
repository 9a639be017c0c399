//! Texts of the calendar. Knows no page.

use perennial_formats::language::Text;

texts! {
    COST_LEAD: "What one term costs of the resources that expire on each day (UTC). The stronger the colour of a day, the more money; a day leads to its list.", "每一天（UTC）到期资源一个周期的费用。颜色越鲜明金额越大；点击日期查看列表。";
    DAY_LOAD: "{} resource{s}, {}", "{} 个资源，{}";
    FRIDAY: "Friday", "星期五";
    FRIDAY_SHORT: "Fri", "五";
    HEAVIEST_DAYS: "The most expensive days in {}", "费用最高的日期（{}）";
    LEAD: "How many resources expire on each day (UTC). The stronger the colour of a day, the more; a day leads to its list.", "每一天（UTC）到期的资源数量。颜色越鲜明数量越多；点击日期查看列表。";
    MANY_CURRENCIES: "Currencies are not added up: each has its own most expensive day, and a day has the colour of the currency in which it costs the most of that.", "不同币种不相加：每个币种各有其费用最高的一天，某一天的颜色取其中占比最高的币种。";
    MONDAY: "Monday", "星期一";
    MONDAY_SHORT: "Mon", "一";
    SATURDAY: "Saturday", "星期六";
    SATURDAY_SHORT: "Sat", "六";
    SUNDAY: "Sunday", "星期日";
    SUNDAY_SHORT: "Sun", "日";
    THURSDAY: "Thursday", "星期四";
    THURSDAY_SHORT: "Thu", "四";
    TUESDAY: "Tuesday", "星期二";
    TUESDAY_SHORT: "Tue", "二";
    WEDNESDAY: "Wednesday", "星期三";
    WEDNESDAY_SHORT: "Wed", "三";
}
