//! What a key can do on the screen itself, beside giving a command: closed lists with their words.
//!
//! Room: screens. May touch: std.

macro_rules! worded {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }
    };
}

worded! {
    /// The screens, by the name of their table in a keymap.
    ScreenName {
        Sale = "sale",
        SignIn = "sign_in",
        Tender = "tender",
        ItemFinder = "item_finder",
        MemberFinder = "member_finder",
        MemberCard = "member_card",
        /// A new member.
        NewMember = "new_member",
        /// The member of the open sale, edited.
        EditMember = "edit_member",
        Suspended = "suspended",
        Journal = "journal",
        Receipt = "receipt",
        ReturnLines = "return_lines",
        Menu = "menu",
        Cash = "cash",
        Close = "close",
        Reports = "reports",
        Count = "count",
        Help = "help",
        CommandLine = "command_line",
        Devices = "devices",
        Report = "report",
        FirstRun = "first_run",
        /// What can be done about a shop that does not open.
        Recovery = "recovery",
        /// A gap of a command, or a question with yes and no.
        Prompt = "prompt",
    }
}

impl ScreenName {
    /// Whether the screen is a list of its own keys.
    pub const fn is_menu(self) -> bool {
        matches!(self, Self::Menu | Self::Cash | Self::Close | Self::Reports)
    }

    /// Whether letters typed here are text, so that no key may be bound to one.
    pub const fn takes_text(self) -> bool {
        matches!(
            self,
            Self::ItemFinder
                | Self::MemberFinder
                | Self::NewMember
                | Self::EditMember
                | Self::Journal
                | Self::CommandLine
                | Self::FirstRun
                | Self::Recovery
                | Self::Prompt
        )
    }
}

worded! {
    /// An act on the screen; in a keymap `@word`.
    Act {
        /// One level back: clears what was typed first, then leaves the screen.
        Back = "back",
        /// The obvious next step.
        Enter = "enter",
        Erase = "erase",
        Delete = "delete",
        Up = "up",
        Down = "down",
        Left = "left",
        Right = "right",
        PageUp = "page_up",
        PageDown = "page_down",
        Home = "home",
        End = "end",
        NextField = "next_field",
        PreviousField = "previous_field",
        /// Switches between direct, hiragana and katakana.
        Kana = "kana",
        /// Two noughts at once.
        DoubleZero = "double_zero",
        /// Marks a line to return.
        Mark = "mark",
        /// Shows or hides the printed pane.
        Pane = "pane",
        /// Asks for the approval of somebody else.
        Approve = "approve",
        /// Asks once more what the screen shows.
        Refresh = "refresh",
        TestPrint = "test_print",
        Quit = "quit",
        OpenItemFinder = "item_finder",
        OpenMemberFinder = "member_finder",
        OpenMemberCard = "member_card",
        OpenNewMember = "new_member",
        OpenEditMember = "edit_member",
        OpenTender = "tender",
        OpenSuspended = "suspended",
        OpenJournal = "journal",
        OpenReturnLines = "return_lines",
        OpenMenu = "menu",
        OpenCash = "cash",
        OpenClose = "close",
        OpenReports = "reports",
        OpenCount = "count",
        OpenHelp = "help",
        OpenCommandLine = "command_line",
        OpenDevices = "devices",
    }
}

impl Act {
    /// The screen that this act opens.
    pub fn opens(self) -> Option<ScreenName> {
        ScreenName::from_word(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_that_opens_a_screen_bears_its_name() {
        for act in Act::ALL {
            let opens = format!("{act:?}").starts_with("Open");
            assert_eq!(act.opens().is_some(), opens, "{act:?}");
        }
    }
}
