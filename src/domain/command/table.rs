//! The list of commands: names, arguments as help prints them, levels.
//!
//! Room: domain. May touch: nothing. Help texts live in the language files under `help.NAME`.

/// The heading a command stands under in help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    Staff,
    Items,
    Sale,
    Member,
    Tender,
    After,
    Drawer,
    Close,
    Shop,
    Look,
}

impl Group {
    /// The heading's key in the language files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Staff => "group.staff",
            Self::Items => "group.items",
            Self::Sale => "group.sale",
            Self::Member => "group.member",
            Self::Tender => "group.tender",
            Self::After => "group.after",
            Self::Drawer => "group.drawer",
            Self::Close => "group.close",
            Self::Shop => "group.shop",
            Self::Look => "group.look",
        }
    }
}

/// What help, completion and the level check know of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandSpec {
    pub name: &'static str,
    pub arguments: &'static str,
    pub group: Group,
    /// The lowest staff level that may give it, as shipped; the shop may set another. 0 needs no
    /// one signed in.
    pub level: u8,
}

const fn command(
    group: Group,
    level: u8,
    name: &'static str,
    arguments: &'static str,
) -> CommandSpec {
    CommandSpec { name, arguments, group, level }
}

/// Every command, in the order help shows them (`DESIGN.md` 5).
pub const COMMANDS: &[CommandSpec] = &[
    command(Group::Staff, 0, "sign_in", "STAFF [PIN]"),
    command(Group::Staff, 0, "sign_out", ""),
    command(Group::Staff, 0, "approve", "STAFF PIN"),
    command(Group::Items, 1, "scan", "CODE"),
    command(Group::Items, 1, "department", "DEPT AMOUNT"),
    command(Group::Items, 1, "quantity", "N"),
    command(Group::Items, 1, "times", "N"),
    command(Group::Items, 1, "repeat", ""),
    command(Group::Items, 3, "price_override", "AMOUNT"),
    command(Group::Items, 3, "line_discount", "AMOUNT|N%"),
    command(Group::Items, 1, "line_tax", "CLASS"),
    command(Group::Items, 1, "void_line", "[N]"),
    command(Group::Items, 1, "select_line", "N"),
    command(Group::Items, 1, "inquire", "CODE"),
    command(Group::Items, 1, "find_item", "TEXT"),
    command(Group::Items, 1, "age_checked", ""),
    command(Group::Sale, 1, "subtotal", ""),
    command(Group::Sale, 3, "sale_discount", "AMOUNT|N%"),
    command(Group::Sale, 1, "eat_in", ""),
    command(Group::Sale, 1, "take_out", ""),
    command(Group::Sale, 1, "note", "TEXT"),
    command(Group::Sale, 1, "suspend", "[NAME]"),
    command(Group::Sale, 1, "resume", "[SLIP]"),
    command(Group::Sale, 1, "void_sale", ""),
    command(Group::Sale, 1, "customer_kind", "KEY"),
    command(Group::Member, 1, "member", "CODE"),
    command(Group::Member, 1, "find_member", "TEXT"),
    command(Group::Member, 1, "new_member", "FIELD=VALUE…"),
    command(Group::Member, 1, "edit_member", "FIELD=VALUE…"),
    command(Group::Member, 1, "clear_member", ""),
    command(Group::Member, 9, "erase_member", "CODE"),
    command(Group::Member, 1, "use_points", "N|all"),
    command(Group::Member, 1, "coupon", "CODE [remove]"),
    command(Group::Member, 1, "stamp", "N"),
    command(Group::Member, 1, "late_points", "RECEIPT CODE"),
    command(Group::Tender, 1, "tender_cash", "[AMOUNT|1000x2…]"),
    command(Group::Tender, 1, "tender_credit", "[AMOUNT]"),
    command(Group::Tender, 1, "tender_debit", "[AMOUNT]"),
    command(Group::Tender, 1, "tender_emoney", "[AMOUNT]"),
    command(Group::Tender, 1, "tender_code", "[AMOUNT]"),
    command(Group::Tender, 1, "tender_voucher", "AMOUNT"),
    command(Group::Tender, 1, "void_tender", ""),
    command(Group::After, 1, "reprint", "[RECEIPT]"),
    command(Group::After, 1, "formal_receipt", "NAME [AMOUNT] [receipt=NO] [for=TEXT]"),
    command(Group::After, 5, "void_receipt", "RECEIPT REASON"),
    command(Group::After, 5, "correct_tender", "RECEIPT KIND"),
    command(Group::After, 5, "return", "RECEIPT [LINE[:QTY]]…"),
    command(Group::After, 5, "return_open", ""),
    command(Group::After, 5, "exchange", "RECEIPT LINE"),
    command(Group::After, 1, "tax_free", "RECEIPT [LINE]… [with=RECEIPT]…"),
    command(Group::After, 5, "tax_free_status", "RECORD sent|confirmed|not_confirmed"),
    command(Group::After, 5, "tax_free_refund", "RECORD cash|transfer"),
    command(Group::After, 1, "print_outcome", "JOB printed|lost"),
    command(Group::Drawer, 5, "no_sale", "REASON"),
    command(Group::Drawer, 5, "paid_in", "AMOUNT REASON"),
    command(Group::Drawer, 5, "paid_out", "AMOUNT REASON"),
    command(Group::Drawer, 5, "loan", "AMOUNT"),
    command(Group::Drawer, 5, "pickup", "AMOUNT"),
    command(Group::Close, 1, "open_day", "[FLOAT]"),
    command(Group::Close, 1, "x_report", ""),
    command(Group::Close, 1, "count", "10000x3 5000x0 …"),
    command(Group::Close, 7, "z_report", "[COUNTED] [FLOAT_LEFT]"),
    command(Group::Close, 7, "training_on", ""),
    command(Group::Close, 1, "training_off", ""),
    command(Group::Shop, 7, "edit_item", "CODE FIELD=VALUE…"),
    command(Group::Shop, 7, "set_price", "CODE AMOUNT"),
    command(Group::Shop, 9, "set_pin", "STAFF PIN|remove"),
    command(Group::Shop, 1, "confirm", ""),
    command(Group::Look, 1, "journal", "[QUERY]"),
    command(Group::Look, 1, "report", "NAME [KEY=VALUE…]"),
    command(Group::Look, 0, "help", "[NAME]"),
    command(Group::Look, 0, "keys", ""),
    command(Group::Look, 0, "lock", ""),
];

/// Returns the spec of a command by name.
pub fn spec(name: &str) -> Option<&'static CommandSpec> {
    COMMANDS.iter().find(|spec| spec.name == name)
}
