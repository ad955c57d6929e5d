//! Who may open a scanner: whether the shop's account may, and the line of udev that lets it.
//!
//! Room: devices. May touch: the system's list of groups, the node's owner. May not: change either
//! (the caller does).
//! Invariant: a line names numbers and a group, never a text that the device gave.

use std::fs::{Metadata, metadata, read_to_string};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Identity;

/// Who owns a file, and which group it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
}

impl From<&Metadata> for Owner {
    fn from(file: &Metadata) -> Self {
        Self { user: file.uid(), group: file.gid() }
    }
}

/// What `/etc/passwd` and `/etc/group` say.
struct Accounts {
    users: String,
    groups: String,
}

impl Accounts {
    fn of_this_machine() -> Self {
        let read = |path| read_to_string(path).unwrap_or_default();
        Self { users: read("/etc/passwd"), groups: read("/etc/group") }
    }

    /// Returns the group's name, or its number where the list has none.
    fn group(&self, number: u32) -> String {
        let named = rows(&self.groups).find(|row| row.get(2) == Some(&number.to_string().as_str()));
        named.map_or_else(|| number.to_string(), |row| row[0].to_owned())
    }

    /// Returns whether an account is of a group beside its own.
    fn is_member(&self, user: u32, group: u32) -> bool {
        let named = rows(&self.users).find(|row| row.get(2) == Some(&user.to_string().as_str()));
        let Some(name) = named.map(|row| row[0]) else { return false };
        rows(&self.groups)
            .filter(|row| row.get(2) == Some(&group.to_string().as_str()))
            .any(|row| row.get(3).is_some_and(|all| all.split(',').any(|member| member == name)))
    }

    /// Returns whether `shop`'s account may open what is `node`'s, as udev leaves a node (0660).
    fn may_open(&self, shop: Owner, node: Owner) -> bool {
        shop.user == 0
            || shop.user == node.user
            || shop.group == node.group
            || self.is_member(shop.user, node.group)
    }
}

fn rows(list: &str) -> impl Iterator<Item = Vec<&str>> {
    list.lines().map(|line| line.split(':').collect())
}

/// Returns the line of udev that `shop`'s account needs to open the scanner at `node`; `None` where
/// it may.
///
/// # Errors
/// When the node cannot be looked at.
pub fn line_wanted(shop: Owner, node: &Path, device: &Identity) -> io::Result<Option<String>> {
    let (accounts, node) = (Accounts::of_this_machine(), Owner::from(&metadata(node)?));
    let may = accounts.may_open(shop, node);
    Ok((!may).then(|| line(device, &accounts.group(shop.group))))
}

/// Returns the line that gives a kind of scanner to a group.
fn line(device: &Identity, group: &str) -> String {
    let Identity { vendor, product, .. } = device;
    format!(
        "SUBSYSTEM==\"input\", KERNEL==\"event*\", ATTRS{{id/vendor}}==\"{vendor:04x}\", \
         ATTRS{{id/product}}==\"{product:04x}\", GROUP=\"{group}\", MODE=\"0660\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            users:
                "root:x:0:0::/:/bin/sh\nregi:x:998:997::/:/bin/false\nume:x:1000:1000::/:/bin/sh\n"
                    .into(),
            groups: "root:x:0:\nregi:x:997:\ninput:x:995:hana,ume\nume:x:1000:\n".into(),
        }
    }

    #[test]
    fn a_line_is_wanted_only_where_the_account_may_not_open_the_node() {
        for (shop, node, may) in [
            ((998, 997), (0, 995), false),   // As the kernel's nodes are.
            ((998, 997), (0, 997), true),    // The package's rule named its maker.
            ((1000, 1000), (0, 995), true),  // Its account is in the group.
            ((1001, 1001), (0, 995), false), // Nobody knows it.
            ((0, 0), (0, 995), true),
            ((998, 997), (998, 0), true),
        ] {
            let owner = |(user, group)| Owner { user, group };
            let found = accounts().may_open(owner(shop), owner(node));
            assert_eq!(found, may, "{shop:?} {node:?}");
        }
    }

    #[test]
    fn a_line_names_numbers_and_the_group() {
        let device = Identity {
            vendor: 0x1a86,
            product: 0xe026,
            name: "\"\nRUN+=\"/bin/sh".into(),
            ..Identity::default()
        };
        for (group, name) in [(997, "regi"), (4_242, "4242")] {
            assert_eq!(
                line(&device, &accounts().group(group)),
                format!(
                    r#"SUBSYSTEM=="input", KERNEL=="event*", ATTRS{{id/vendor}}=="1a86", ATTRS{{id/product}}=="e026", GROUP="{name}", MODE="0660""#
                )
            );
        }
    }
}
