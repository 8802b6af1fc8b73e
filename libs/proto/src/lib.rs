//! Jaeger's gRPC services and their messages: `.proto` files by their field numbers, and what is generated from them, checked in.
//!
//! OTLP's messages are those of the crate `opentelemetry-proto`. After a change of a `.proto` file,
//! `UPDATE=1 cargo test -p skua-proto` writes the generated files anew; without it that test fails when they differ.

#![allow(missing_docs, clippy::all, clippy::unwrap_used)] // generated code

/// All files and what they import, as a `FileDescriptorSet`: for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");

mod raw;

pub use raw::Raw;

/// OTLP's messages.
pub use opentelemetry_proto::tonic as otlp;

pub mod jaeger {
    //! Packages below `jaeger`.

    pub mod api_v2 {
        //! Spans in Jaeger's model, and queries for them.
        include!("generated/jaeger.api_v2.rs");
    }

    pub mod api_v3 {
        //! Queries answered in OTLP.
        include!("generated/jaeger.api_v3.rs");
    }

    pub mod storage {
        //! Remote storage.

        /// The key of response metadata in which a server of ours says, once for each reason, why the answer to a search is not
        /// complete, for which the messages have no field. The values are UTF-8.
        pub const PARTIAL: &str = "skua-partial-bin";

        pub mod v1 {
            //! In Jaeger's model.
            include!("generated/jaeger.storage.v1.rs");
        }

        pub mod v2 {
            //! In OTLP.
            include!("generated/jaeger.storage.v2.rs");
        }
    }
}

pub mod skua {
    //! Packages of our own.

    pub mod rollup {
        //! What was counted while the spans streamed by.

        pub mod v1 {
            //! One document for each interval.
            include!("generated/skua.rollup.v1.rs");
        }
    }
}
