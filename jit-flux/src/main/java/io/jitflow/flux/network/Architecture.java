package io.jitflow.flux.network;

/** The sizes of one of the four networks; a record, whose names a bundle's manifest keeps. */
public sealed interface Architecture
    permits FluxArchitecture, ClipArchitecture, T5Architecture, VaeArchitecture {}
