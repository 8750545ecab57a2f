/**
 * Stock kernels and tools from Debian's packages, in a cache folder, without installing anything.
 *
 * <p>{@link io.javisor.boot.debian.DebianPackages} asks apt what a name stands for ({@code apt-cache}), has apt fetch and
 * authenticate the packages ({@code apt-get download}), and unpacks them itself into a folder of the cache. No root, no
 * {@code dpkg} database, no maintainer script is involved; the system stays as it is, apart from the package lists when root asks
 * for them to be brought. Once a name is in the cache it is answered from there: no program is started and no network is used.
 *
 * <p>Data enters from apt's output and from package files, which are unpacked by {@link io.javisor.boot.image}'s checked
 * reader. Folders of the cache appear whole (made aside and renamed) under a file lock, so any number of processes can share one;
 * a warm cache is never written and may be read-only.
 */
@NullMarked
package io.javisor.boot.debian;

import org.jspecify.annotations.NullMarked;
