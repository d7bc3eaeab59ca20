//! Values across the border.
