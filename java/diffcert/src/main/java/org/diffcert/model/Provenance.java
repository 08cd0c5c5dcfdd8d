package org.diffcert.model;

/**
 * Where a model came from.
 *
 * @param fileName name of the file without its directory, or "" for a model made in memory
 * @param sha256 SHA-256 of the file in hexadecimal, or ""
 * @param sourceSha256 SHA-256 of the Python source that an EDM pickle carries (and that is never run), or ""
 */
public record Provenance(String fileName, String sha256, String sourceSha256) {}
