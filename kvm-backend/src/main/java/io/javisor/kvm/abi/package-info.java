/**
 * The kernel's side of {@code /dev/kvm} as layouts: each structure of linux/kvm.h and asm/kvm.h that Javisor uses is a named
 * {@link java.lang.foreign.StructLayout} with the C structure's own field names, and each ioctl number is computed from the
 * size of its structure, as the C macros do. A test holds every offset, size and number to a table that the C compiler made
 * from the headers. Nothing here calls the kernel.
 */
@NullMarked
package io.javisor.kvm.abi;

import org.jspecify.annotations.NullMarked;
