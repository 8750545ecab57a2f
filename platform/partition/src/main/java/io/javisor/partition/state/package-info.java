/**
 * Saved state: every device owns one leaf, writes it with {@link io.javisor.partition.state.StateWriter} and reads it back
 * with {@link io.javisor.partition.state.StateReader}. A leaf has a name and a version; its fields are named, so that a
 * later version can add one and still read the older.
 */
@NullMarked
package io.javisor.partition.state;

import org.jspecify.annotations.NullMarked;
