@NullMarked
package io.javisor.numa;

import org.jspecify.annotations.NullMarked;
