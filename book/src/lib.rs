//! The book: every page is documentation of a module here, so that its samples are compiled and run as doc tests.
