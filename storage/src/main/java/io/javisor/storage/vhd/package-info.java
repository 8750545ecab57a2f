/**
 * VHD, the virtual hard disk format of Virtual PC and the first Hyper-V (Virtual Hard Disk Image Format Specification 1.0).
 * Numbers are big-endian, sectors have 512 bytes, and the disk is at most 2,040 GiB large.
 *
 * <pre>
 *   fixed:                  data … │ footer
 *   dynamic, differencing:  footer │ header │ [parent locators] │ BAT │ (bitmap, data) … │ footer
 * </pre>
 *
 * <p>The format has no log. {@link io.javisor.storage.vhd.VhdDisk} keeps changes of the BAT and the bitmaps in memory until a
 * flush, which makes the data durable first and then writes them: a crash at any point leaves them as they were or as they
 * are to be, and at worst a piece of the file that nobody uses.
 */
@NullMarked
package io.javisor.storage.vhd;

import org.jspecify.annotations.NullMarked;
