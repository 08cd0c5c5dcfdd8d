// Sorting and filtering of the rows. Without it the page is whole, only still.
(() => {
  const section = document.querySelector('.rows');
  if (!section) return;
  section.classList.add('live');
  const logs = [...section.querySelectorAll('.log')];
  const tabs = [...section.querySelectorAll('.tabs button')];
  const outcome = section.querySelector('select');
  const find = section.querySelector('input');
  const count = section.querySelector('output');

  const filter = () => {
    const wanted = find.value.trim().toLowerCase();
    for (const log of logs) {
      let shown = 0;
      const rows = log.querySelectorAll('tbody tr');
      for (const row of rows) {
        const texts = [...row.querySelectorAll('.i,.l')].map(cell => cell.textContent.toLowerCase());
        const hit = (!outcome.value || row.classList.contains(outcome.value))
            && (!wanted || texts.some(text => text === wanted || (isNaN(wanted) && text.includes(wanted))));
        row.hidden = !hit;
        shown += hit;
      }
      if (!log.hidden) count.textContent = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
    }
  };
  const show = index => {
    logs.forEach(log => { log.hidden = log.dataset.log !== index; });
    tabs.forEach(tab => tab.setAttribute('aria-pressed', tab.dataset.log === index));
    filter();
  };
  const key = cell => {
    const text = cell.textContent.trim();
    const number = parseFloat(text);
    return Number.isNaN(number) ? text : number;
  };
  const sort = head => {
    const column = [...head.parentNode.children].indexOf(head);
    const down = head.getAttribute('aria-sort') === 'ascending';
    for (const other of head.parentNode.children) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const body = head.closest('table').tBodies[0];
    const compare = (a, b) => typeof a[0] === typeof b[0] ? (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) : typeof a[0] === 'string' ? -1 : 1;
    const rows = [...body.rows].map(row => [key(row.cells[column]), row]).sort(compare);
    if (down) rows.reverse();
    body.append(...rows.map(([, row]) => row));
  };
  tabs.forEach(tab => tab.addEventListener('click', () => show(tab.dataset.log)));
  section.querySelectorAll('thead th').forEach(head => {
    if (!head.textContent) return;
    head.tabIndex = 0;
    head.addEventListener('click', () => sort(head));
    head.addEventListener('keydown', event => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      sort(head);
    });
  });
  outcome.addEventListener('change', filter);
  find.addEventListener('input', filter);
  show(logs[0].dataset.log);
})();
