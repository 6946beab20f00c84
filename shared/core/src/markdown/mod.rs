//! Text that crosses from one GitLab to another, made inert.
//!
//! Six steps, in this order: [`uploads::rewrite`] points upload links to their new place,
//! [`mentions::set_aside`] takes out whom the text may reach, [`references::link`] makes links of
//! references to the source project, [`defuse`] makes the text harmless (then those taken out are put
//! back), [`closing`] ends what the text left open, and the caller appends its footer. Each is a pure
//! function of its arguments.
//!
//! # What is guaranteed
//!
//! **No command.** No line of the output begins with a slash, so that no release of GitLab finds a
//! quick action in it: neither the older ones, whose regular expression looks into `~~~` fences,
//! comments and HTML blocks, nor the newer ones, which search top-level paragraphs. The view stays
//! the same: in prose a leading space is not shown, a fenced block is indented as a whole (its
//! content is shown without the indentation of its fence), in raw HTML the slash becomes a
//! character reference.
//!
//! **No mention, no reference.** A sign such as `@` or `#` in front of a name or number gets a
//! backslash, which is GitLab's own way; what has no sign (commit hashes, `GL-12`,
//! `[vulnerability:1]`) is cut by an empty `<span>`, because GitLab matches one text node at a
//! time. In raw HTML the sign is wrapped in `<span>`. Link targets that are references in
//! themselves (`[x](#12)`) are written so that they no longer match. Whatever stands in code is
//! left alone. Two exceptions: a link that [`references::link`] made to the mirror of what the text
//! refers to; that GitLab notes it there is what it is for. And a mention that
//! [`mentions::set_aside`] took out, because a person said whom it is to reach.
//!
//! **The same view.** The text a reader sees is the one the source shows.
//!
//! # Where the view may differ
//!
//! - CR is deleted and trailing white space stripped, as GitLab does with every text it stores.
//! - NUL, which GitLab cannot store, becomes U+FFFD; vertical tab and form feed become a space.
//! - Titles are no Markdown and know no escape: an invisible word joiner (U+2060) goes in, and a
//!   title that would no longer fit is cut. `%name` in a title then names a milestone whose name
//!   begins with a word joiner, which does not exist.
//! - The content of elements that HTML reads as plain text up to their end tag (`<textarea>`,
//!   `<xmp>`, `<iframe>`, …), all of which GitLab removes, may show the added markup.
//! - Where GitLab's engine and the parser used here pair marks differently, a mark may be shown that
//!   was not, or the other way round: tildes of two lengths, or beside asterisks and underscores, in
//!   one paragraph; backticks of two lengths; marks that touch a bare address.
//! - Raw HTML whose attribute's quote is open when its block ends, and raw HTML in footnotes and
//!   `>>>` quotes, may show its tag.
//! - A list item of nothing but a number may be shown where it ends the text.
//! - Front matter (`---` lines at the very start) is a table to GitLab only at the start of the
//!   source. Behind a marker line it reads as a rule and a heading, with the same words.

mod addresses;
mod agreement;
mod cells;
mod closing;
mod declarations;
mod defuse;
mod destinations;
mod edits;
mod entities;
mod hazards;
mod html;
mod literal;
pub mod mentions;
mod page;
mod parser;
pub mod references;
mod slashes;
mod survey;
mod tildes;
mod title;
pub mod uploads;

use defuse::CUT;

pub use closing::closing;
pub use defuse::{Inert, defuse, defuse_with};
pub use literal::{code, literal};
pub use title::{defuse_title, defuse_title_with};
