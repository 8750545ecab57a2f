/**
 * The guest's first root file system: an initramfs, put together on the host without root and without a temporary tree.
 *
 * <p>An {@link io.javisor.boot.image.Initramfs} is a description: files and folders of the host, bytes, links, device nodes,
 * tar archives, layers of container images. Writing it lays all of that out in memory as names only (one node per file, no
 * contents), then streams the contents once, in an order that depends on nothing but the description: the same description
 * gives the same bytes. Archives are therefore read twice, once for their names and once for their contents.
 *
 * <p>{@link io.javisor.boot.image.KernelModules} reads a kernel's module tree and puts the wanted modules into an order in which
 * {@code insmod} can load them; {@link io.javisor.boot.image.BusyboxInit} adds busybox and an {@code /init} that brings a guest
 * up, gives the host a shell on the second serial port, and powers off when its main program ends.
 *
 * <p>Data enters from host files and archives. Archives and modules may come from strangers: every name, size, link and
 * header is checked before it is used, a path never leaves the image's own root, expansion is limited, and damage is an
 * {@link io.javisor.boot.image.ImageException}. Data leaves as a cpio stream (the kernel's "newc" format,
 * Documentation/driver-api/early-userspace/buffer-format.rst), or as a folder.
 */
@NullMarked
package io.javisor.boot.image;

import org.jspecify.annotations.NullMarked;
