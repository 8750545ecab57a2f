/**
 * Files underneath disks. Image formats read and write a {@link io.javisor.storage.file.BackingFile}, whose one production
 * form is {@link io.javisor.storage.file.HostBackingFile}: that is where a disk's data leaves for the kernel, and the seam
 * at which tests record writes, cut them off and fail them.
 */
@NullMarked
package io.javisor.storage.file;

import org.jspecify.annotations.NullMarked;
