//! The laws every router must pass, as a reusable test.
