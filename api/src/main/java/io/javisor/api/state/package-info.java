/**
 * A saved machine as files in a folder. State enters as {@link io.javisor.api.state.Leaf leaves}, bytes that each device has
 * written of itself, and as the guest's memory; it leaves as the same, checked: what
 * {@link io.javisor.api.state.StateFile} and {@link io.javisor.api.state.MemoryImage} give out is what was put in, or else they
 * throw.
 *
 * <pre>
 *   machine.state   the leaves, and a digest of all (see StateFile)
 *   memory-N.img    memory of NUMA node N, byte for byte, with holes where it is zero; mapped by restored machines
 *   memory-N.z      instead, if it was saved compressed: blocks of 2 MiB, deflated (RFC 1951)
 * </pre>
 *
 * <p>The leaf {@code memory-N} has the size of the node's memory and, for each block of 2 MiB that is not all zero, its CRC-32C.
 */
@NullMarked
package io.javisor.api.state;

import org.jspecify.annotations.NullMarked;
