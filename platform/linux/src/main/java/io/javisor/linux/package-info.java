@NullMarked
package io.javisor.linux;

import org.jspecify.annotations.NullMarked;
