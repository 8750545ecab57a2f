/**
 * What a disk is to everything above it. A {@link io.javisor.storage.disk.Disk} takes positioned, scattered reads and writes
 * of whole sectors from many threads at once; {@link io.javisor.storage.disk.DiskImage} opens, makes and maintains the files
 * behind disks: raw files and block devices, VHD, VHDX, and a throw-away {@link io.javisor.storage.disk.OverlayDisk} over any
 * of them.
 *
 * <pre>
 * guest pages ─▶ IoMemory ─▶ Disk.write ─▶ format: which block, where ─▶ backing file ─▶ pwritev(2)
 * </pre>
 *
 * <p>Data is never copied on the way: the segments that a caller gives are the segments that the kernel is given, unless the
 * file was opened for direct I/O and they are not aligned.
 *
 * <p><b>What survives.</b> A write that has returned is seen by every later read. It survives a crash of the host only after
 * a {@link io.javisor.storage.disk.Disk#flush} that began later has returned, or if it was itself durable. A write that
 * was cut short leaves, sector by sector, the old or the new contents.
 *
 * <p><b>Images are hostile.</b> Whoever made a file may have made it to hurt. A damaged one gives a
 * {@link io.javisor.storage.disk.DiskFormatException} that says what is wrong at which offset; memory is bounded whatever a
 * file claims, and a file can name only those parents that a {@link io.javisor.storage.disk.ParentPolicy} admits.
 */
@NullMarked
package io.javisor.storage.disk;

import org.jspecify.annotations.NullMarked;
